"""Read an export's files into DuckDB, every value as the text that was delivered."""

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import adbc_driver_sqlite.dbapi
import duckdb
import pyarrow as pa

from pipelines.clients import Export
from pipelines.contracts import Contract
from pipelines.home import home

BATCH_ROWS = adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value
BLANKS = " \t\r\n\f\v\u00a0"


class ExportError(Exception):
    """An export that cannot be used as a whole; the text names the file, the reason, the remedy."""

    def __init__(self, reason: str, file: Path | None = None) -> None:
        super().__init__(f"{file.name}: {reason}" if file else reason)
        self.file = file


class Rows(NamedTuple):
    """A file's rows in SQL, and its columns: the name in the file, the expression in SQL.

    `line` says where a row stands, counted in rows; `torn` is the text of a line that is none.
    `rejects` is a query for such lines that are not among the rows: line, torn, reason.
    """

    relation: str
    columns: dict[str, str]
    line: str = "ROW_NUMBER() OVER ()"
    torn: str = "NULL"
    rejects: str = "SELECT 0, '', '' WHERE FALSE"


def fingerprint(path: Path) -> str:
    """Return what tells a file's content: its SHA-256. Raise ExportError if it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            raise ExportError("it is no file, but a folder or the like; deliver a file", path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"not readable: {error.strerror}; deliver it again", path) from None


def shown(path: Path) -> str:
    """Return what a file is called in the lake: its path from the data's home."""
    return path.relative_to(home()).as_posix()


@contextmanager
def opened(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    export: Export,
) -> Iterator[tuple[str, str]]:
    """Yield SQL that selects a file's rows in their order: line, torn, the contract's columns.

    And SQL to run after it, for the lines that are no row: line, torn, reason.
    Raise ExportError if the file cannot be read, here or as the SQL is run, or lacks a column.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ExportError(f"unknown format; deliver one of {', '.join(_READERS)}", path)
    try:
        with ExitStack() as open_files:
            if path.stat().st_size == 0:
                raise ExportError("the file is empty; deliver it again", path)
            rows = reader(connection, path, export.table, open_files)
            _need_columns(path, contract, export.columns, rows.columns)
            columns = ", ".join(
                f"NULLIF(TRIM({rows.columns[name]}::TEXT, {_literal(BLANKS)}), '') AS {column}"
                if (name := export.columns.get(column, column)) in rows.columns
                else f"NULL::TEXT AS {column}"
                for column in contract.columns
            )
            yield (
                f"SELECT {rows.line} AS line, {rows.torn}::TEXT AS torn, {columns} FROM {rows.relation}",
                rows.rejects,
            )
    except OSError as error:
        raise ExportError(f"not readable: {error.strerror}; deliver it again", path) from None
    except (duckdb.Error, adbc_driver_sqlite.dbapi.Error, pa.ArrowInvalid) as error:
        line = str(error).strip().splitlines()[0].partition(" Detail: ")[0]
        raise ExportError(f"not readable: {line}; deliver it again", path) from None


def _need_columns(path: Path, contract: Contract, names: dict[str, str], present: dict) -> None:
    missing = [
        name if name == column else f"{name} (for {column})"
        for column, rule in contract.columns.items()
        if (name := names.get(column, column)) not in present
        and (column in names or not rule.optional)
    ]
    if missing:
        raise ExportError(
            f"missing column {', '.join(missing)}; it has {', '.join(sorted(present)) or 'none'}."
            " Deliver it again, or name the column under `columns:`",
            path,
        )


def _csv(
    connection: duckdb.DuckDBPyConnection, path: Path, _: str | None, open_files: ExitStack
) -> Rows:
    """Read by RFC 4180, in UTF-8; of the dialect only the delimiter is guessed, by the header."""
    with path.open("rb") as file:
        head = file.readline(1_000_000).splitlines()[0]
    try:
        text = head.decode("utf-8-sig")
        readings = [next(csv.reader([text], delimiter=mark), []) for mark in ",;\t|"]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExportError(
            f"its header is not readable: {error}; deliver it as UTF-8", path
        ) from None
    mark, header = max(zip(",;\t|", readings), key=lambda reading: len(reading[1]))
    header = [name.strip() for name in header]
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise ExportError(f"column {', '.join(twice)} is there twice; deliver it once", path)
    types = ", ".join(f"c{place}: 'TEXT'" for place in range(len(header)))
    open_files.callback(_forget_rejects, connection)
    return Rows(
        f"""read_csv({_glob(path)}, header = true, delim = '{mark}', quote = '"', escape = '"',
        columns = {{{types}}}, auto_detect = false, store_rejects = true)""",
        {name: f"c{place}" for place, name in enumerate(header)},
        line="ROW_NUMBER() OVER () + 1",
        rejects=_REJECTS,
    )


def _jsonl(
    connection: duckdb.DuckDBPyConnection, path: Path, _: str | None, open_files: ExitStack
) -> Rows:
    """Read a line at a time: where one holds no JSON object, its neighbours still do."""
    open_files.callback(_forget_rejects, connection)
    lines = f"""read_csv({_glob(path)}, header = false, delim = '\x01', quote = '', escape = '',
        columns = {{text: 'TEXT'}}, auto_detect = false, store_rejects = true, strict_mode = false)"""
    is_object = "(json_valid(text) AND STARTS_WITH(LTRIM(text), '{'))"
    keys = connection.execute(
        f"SELECT DISTINCT UNNEST(json_keys(text)) FROM {lines} WHERE {is_object}"
    ).fetchall()
    _forget_rejects(connection)
    if not keys:
        raise ExportError("no line holds a JSON object; deliver one a line, as UTF-8", path)
    places = {key: f"fields[{place}]" for place, (key,) in enumerate(sorted(keys), 1)}
    paths = ", ".join(_literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in places)
    return Rows(
        f"""(SELECT *, CASE WHEN is_object THEN json_extract_string(text, [{paths}]) END AS fields
        FROM (SELECT *, ROW_NUMBER() OVER () AS line, {is_object} AS is_object FROM {lines})
        WHERE TRIM(text, {_literal(BLANKS)}) <> '')""",
        places,
        line="line",
        torn="CASE WHEN NOT is_object THEN text END",
        rejects=_REJECTS,
    )


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, *_) -> Rows:
    reading = f"read_parquet({_glob(path)})"
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {reading}").fetchall()]
    return Rows(reading, {name: _quote(name) for name in names})


def _sqlite(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str | None, open_files: ExitStack
) -> Rows:
    """Read a table by ADBC: DuckDB's own SQLite reader is a download.

    As immutable, or SQLite would leave files of its own beside the export.
    """
    if not table:
        raise ExportError("a SQLite file needs `table:`, the table to read", path)
    database = open_files.enter_context(
        adbc_driver_sqlite.dbapi.connect(f"{path.resolve().as_uri()}?immutable=1")
    )
    cursor = open_files.enter_context(database.cursor())
    cursor.execute(f"SELECT name FROM pragma_table_info({_literal(table)})")
    names = [name for (name,) in cursor.fetchall()]
    if not names:
        raise ExportError(f"there is no table '{table}'; correct `table:`", path)
    cursor.adbc_statement.set_options(**{BATCH_ROWS: 65_536})  # 1,024 take twice the time
    # ADBC takes a column's type from the first rows: '' is text, NULL would be a number.
    texts = ", ".join(
        f"COALESCE(CAST({_quote(name)} AS TEXT), '') AS {_quote(name)}" for name in names
    )
    cursor.execute(f"SELECT {texts} FROM {_quote(table)}")
    batches = cursor.fetch_record_batch()
    valid = pa.RecordBatchReader.from_batches(batches.schema, map(_validated, batches))
    connection.register("sqlite_rows", valid)
    open_files.callback(connection.unregister, "sqlite_rows")
    return Rows("sqlite_rows", {name: _quote(name) for name in names})


def _validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch. Raise ArrowInvalid if a text is not UTF-8: SQLite stores what it is given."""
    batch.validate(full=True)
    return batch


_REJECTS = "SELECT line, MIN(csv_line), MIN(error_message) FROM reject_errors GROUP BY line"


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _glob(path: Path) -> str:
    """Return a path for DuckDB, to which `[1]` is a pattern: `[[]1]` is not."""
    return _literal(re.sub(r"([*?[])", r"[\1]", str(path)))


_READERS: dict[str, Callable[..., Rows]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".sqlite": _sqlite,
}
