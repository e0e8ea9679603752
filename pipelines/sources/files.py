"""Read an export's files into DuckDB, every value as the text that was delivered."""

from collections.abc import Callable
from pathlib import Path

import adbc_driver_sqlite.dbapi
import duckdb

from pipelines.contracts import Contract


class ExportError(Exception):
    """An export that cannot be used as a whole; the text names the file, the reason, the remedy."""

    def __init__(self, reason: str, file: Path | None = None) -> None:
        super().__init__(f"{file.name}: {reason}" if file else reason)
        self.file = file


def read_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    names: dict[str, str],
    table: str | None,
) -> str:
    """Return SQL that selects a file's rows in their order: the contract's columns, as text.

    `names` maps the contract's columns to the file's; `table` is read in a SQLite file.
    Raise ExportError if the file cannot be read or lacks a column.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ExportError(f"unknown format; deliver one of {', '.join(_READERS)}", path)
    try:
        if path.stat().st_size == 0:
            raise ExportError("the file is empty; deliver it again", path)
        relation, present = reader(connection, path, table)
    except OSError as error:
        raise ExportError(f"not readable: {error.strerror}; deliver it again", path) from None
    except (duckdb.Error, adbc_driver_sqlite.dbapi.Error) as error:
        line = str(error).strip().splitlines()[0]
        raise ExportError(f"not readable: {line}; deliver it again", path) from None
    _need_columns(path, contract, names, present)
    columns = ", ".join(
        f"NULLIF(TRIM({_quote(names.get(column, column))}::TEXT), '') AS {column}"
        if names.get(column, column) in present
        else f"NULL::TEXT AS {column}"
        for column in contract.columns
    )
    return f"SELECT {columns} FROM {relation}"


def _need_columns(path: Path, contract: Contract, names: dict[str, str], present: set[str]) -> None:
    missing = [
        name if name == column else f"{name} (for {column})"
        for column, rule in contract.columns.items()
        if (name := names.get(column, column)) not in present
        and (column in names or not rule.optional)
    ]
    if missing:
        raise ExportError(
            f"missing column {', '.join(missing)}; it has {', '.join(sorted(present))}."
            " Deliver it again, or name the column under `columns:`",
            path,
        )


def _csv(connection: duckdb.DuckDBPyConnection, path: Path, _: str | None) -> tuple[str, set[str]]:
    reading = f"read_csv({_literal(path)}, header = true, all_varchar = true, store_rejects = true)"
    return reading, _described(connection, reading)


def _jsonl(connection: duckdb.DuckDBPyConnection, path: Path, _: str | None) -> tuple[str, set[str]]:
    lines = f"{_literal(path)}, format = 'newline_delimited'"
    present = _described(connection, f"read_json({lines}, sample_size = -1)")
    columns = ", ".join(f"{_quote(name)}: 'VARCHAR'" for name in sorted(present))
    return f"read_json({lines}, columns = {{{columns}}})", present


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, _: str | None) -> tuple[str, set[str]]:
    reading = f"read_parquet({_literal(path)})"
    return reading, _described(connection, reading)


def _sqlite(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str | None
) -> tuple[str, set[str]]:
    """Copy a table over, by ADBC: DuckDB's own SQLite reader is a download."""
    if not table:
        raise ExportError("a SQLite file needs `table:`, the table to read", path)
    with (
        adbc_driver_sqlite.dbapi.connect(f"file:{path}?mode=ro") as database,
        database.cursor() as cursor,
    ):
        cursor.execute(f"SELECT name FROM pragma_table_info({_literal(table)})")
        present = [name for (name,) in cursor.fetchall()]
        if not present:
            raise ExportError(f"there is no table '{table}'; correct `table:`", path)
        texts = ", ".join(f"CAST({_quote(name)} AS TEXT) AS {_quote(name)}" for name in present)
        cursor.execute(f"SELECT {texts} FROM {_quote(table)} ORDER BY rowid")
        connection.register("batches", cursor.fetch_record_batch())
        connection.execute("CREATE OR REPLACE TABLE sqlite_rows AS FROM batches")
        connection.unregister("batches")
    return "sqlite_rows", set(present)


def _described(connection: duckdb.DuckDBPyConnection, reading: str) -> set[str]:
    return {row[0] for row in connection.execute(f"DESCRIBE FROM {reading}").fetchall()}


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Path | str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


_READERS: dict[str, Callable[..., tuple[str, set[str]]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".sqlite": _sqlite,
}
