"""Hand the rows of a database to DuckDB, batch by batch, every column as text."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.sources.batches import Rows
from pipelines.sql import identifier


def streamed(
    connection: duckdb.DuckDBPyConnection,
    cursor: Any,
    table: str,
    columns: dict[str, str],
    open_files: ExitStack,
    where: str = "",
    failures: list[Exception] | None = None,
) -> Rows:
    """Return the rows of a table, read once, as DuckDB asks for them.

    `columns` has the database's SQL for each column, NULL for one that is not read. DuckDB turns
    an error meanwhile into one of its own; `failures` gets the original.
    """
    read = {name: value for name, value in columns.items() if value != "NULL"}
    texts = ", ".join(f"{value} AS {identifier(name)}" for name, value in read.items())
    cursor.execute(f"SELECT {texts or 'NULL'} FROM {table} {where}")
    batches = cursor.fetch_record_batch()
    valid = pa.RecordBatchReader.from_batches(batches.schema, _validated(batches, failures))
    connection.register("streamed_rows", valid)
    open_files.callback(connection.unregister, "streamed_rows")
    return Rows(
        "streamed_rows", {name: identifier(name) if name in read else "NULL" for name in columns}
    )


def _validated(
    batches: pa.RecordBatchReader, failures: list[Exception] | None
) -> Iterator[pa.RecordBatch]:
    """Yield the batches. Raise ArrowInvalid if a text is not UTF-8: SQLite stores any bytes."""
    try:
        for batch in batches:
            batch.validate(full=True)
            yield batch
    except Exception as error:
        if failures is not None:
            failures.append(error)
        raise
