"""Ask what several files of a full export are: parts of one delivery, or each a whole one."""

from pathlib import Path

import duckdb

from pipelines.ingest.pending import newest
from pipelines.ingest.table import Table
from pipelines.ingest.validation import validate
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sql import literal, only_row


def both_readings(table: Table, batches: list[Batch], folder: Path) -> ExportError:
    """Return the error that asks, with how many rows each reading has."""
    last = newest(table, batches)
    with duckdb.connect() as connection:
        rows = {
            batch.name: _rows(connection, table, batch, folder / f"reading.{number}")
            for number, batch in enumerate(batches)
        }
        together = _count(connection, list(rows.values()))
        alone = f"{_count(connection, [rows[last.name]])} rows" if last else "cannot be told"
    return ExportError(
        f"its {len(batches)} files were taken together until now, though each may be a whole"
        f" delivery. As parts: {together} rows; the newest file alone"
        f"{f' ({last.shown})' if last else ''}: {alone}",
        remedies=[
            Remedy("parts: true", meaning="they are parts of one delivery"),
            Remedy("parts: false", meaning="each is whole"),
        ],
    )


def _rows(connection: duckdb.DuckDBPyConnection, table: Table, batch: Batch, target: Path) -> Path:
    contract, client = table.delivery.contract, table.client
    return validate(connection, contract, client, table.feed, batch, 0, target).rows


def _count(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> int:
    """Return how many rows the files have, each key counted once."""
    paths = ", ".join(literal(str(file)) for file in files)
    query = f"SELECT COUNT(DISTINCT row_key) FROM read_parquet([{paths}]) WHERE reason IS NULL"
    return only_row(connection.execute(query))[0]
