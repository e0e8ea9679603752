"""Read a table of a SQLite file by ADBC: DuckDB's own SQLite reader is a download."""

import re

from pipelines.sources.batches import ExportError, Reading, Remedy, Rows, typed
from pipelines.sources.files import places
from pipelines.sources.files.adbc import streamed
from pipelines.sources.files.not_readable import not_readable
from pipelines.sources.files.status_names import may_say
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import identifier, literal

BATCH_ROWS = 8_192  # more cost memory, and save no time


def read(reading: Reading) -> Rows:
    """Return the rows of the table. Raise ExportError if there is none, or it is not readable.

    It is opened as immutable, or SQLite would leave files of its own beside the export.
    """
    import adbc_driver_sqlite.dbapi as driver  # here, as it takes a quarter of a second

    table, open_files = reading.export.table or "", reading.open_files
    try:
        _refuse_unfinished(reading)
        if not reading.export.table:
            raise ExportError(
                "a SQLite file has tables, and nothing says which is read",
                reading.path,
                remedies=_tables(reading),
            )
        uri = f"{reading.path.resolve().as_uri()}?immutable=1"
        cursor = open_files.enter_context(open_files.enter_context(driver.connect(uri)).cursor())
        cursor.execute(f"SELECT name, type FROM pragma_table_info({literal(table)})")
        kinds = dict(cursor.fetchall())
        names = list(kinds)
        if not places.is_open_beside(reading.path):
            raise ExportError("it was replaced while it was opened; run it again", reading.path)
        if not names:
            raise ExportError(
                f"there is no table '{table}' in it", reading.path, remedies=_tables(reading)
            )
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": BATCH_ROWS})
        # ADBC takes a column's type from the first rows: '' is text, NULL would be a number.
        read = reading.wanted.held(names)
        columns = dict.fromkeys(names, "NULL") | {
            name: f"COALESCE(CAST({identifier(name)} AS TEXT), '')"
            for name in names
            if name in read or may_say(name)
        }
        rows = streamed(reading.connection, cursor, identifier(table), columns, open_files)
        return rows._replace(typed=typed(name for name in names if _is_number(kinds[name])))
    except driver.Error as error:
        raise not_readable(error, reading.path) from None


def _tables(reading: Reading) -> list[Remedy]:
    """Return the lines that would name a table, one for each that there is."""
    import adbc_driver_sqlite.dbapi as driver

    uri = f"{reading.path.resolve().as_uri()}?immutable=1"
    with driver.connect(uri) as database, database.cursor() as cursor:
        cursor.execute(_NAMES)
        names = [name for (name,) in cursor.fetchall()]
    meaning = "it is that one" if len(names) > 1 else ""
    return [Remedy(f"table: {scalar(name)}", meaning=meaning) for name in names]


_NAMES = """SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'
ORDER BY name LIMIT 20"""


def _refuse_unfinished(reading: Reading) -> None:
    """Raise ExportError if changes lie beside the file, where an immutable one is not looked for them."""
    path = reading.path.resolve()
    wal, journal = (path.with_name(f"{path.name}{end}") for end in ("-wal", "-journal"))
    if wal.is_file() and wal.stat().st_size:
        raise ExportError(
            f"its newest rows lie beside it, in {wal.name}; end the program that writes it, or move"
            f' them into it: sqlite3 {path.name} "PRAGMA wal_checkpoint(TRUNCATE)"',
            reading.path,
        )
    if journal.is_file() and journal.read_bytes()[:8] == _UNDER_WAY:
        raise ExportError("it is being written; run it again once that is done", reading.path)


_UNDER_WAY = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"  # how the journal of a transaction begins


def _is_number(kind: str | None) -> bool:
    """Return whether SQLite turns what looks like a number into one, by a column's declared type."""
    return bool(re.search("INT|REAL|FLOA|DOUB|NUM|DEC", (kind or "").upper()))
