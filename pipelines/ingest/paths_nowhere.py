"""Refuse a path into a column, such as `context.campaign.source`, that no delivery has ever had.

A file in which no row has it may be right: on some days no visit has a campaign. A path that leads
nowhere in all files that come, and did not before either, is a slip, or not there yet.
"""

from collections.abc import Sequence

import duckdb

from pipelines.ingest.table import Table
from pipelines.sources.batches import ExportError


def refuse(
    table: Table,
    found: Sequence[dict[str, ExportError]],
    connection: duckdb.DuckDBPyConnection,
    is_reread: bool,
) -> None:
    """Raise ExportError for a path that leads nowhere in all batches, and in what is stored.

    `found` has, by batch, the error for each column of ours, or setting, whose path it lacks.
    """
    if not found:
        return
    for name, error in found[-1].items():
        if all(name in each for each in found) and not _is_known(
            table, name, connection, is_reread
        ):
            raise error


def _is_known(
    table: Table, name: str, connection: duckdb.DuckDBPyConnection, is_reread: bool
) -> bool:
    """Return whether a column has values in the lake; of a setting, whether it was read by it before."""
    if is_reread or not table.is_stored:
        return False
    if name not in table.columns:
        return True
    query = f"SELECT 1 FROM {table.stored} AS log WHERE {name} IS NOT NULL LIMIT 1"
    return bool(connection.execute(query).fetchall())
