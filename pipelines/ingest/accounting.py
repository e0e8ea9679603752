"""Account for every record of a text file: each is a row or a reject, and none is both."""

from collections.abc import Callable
from typing import NamedTuple

import duckdb

from pipelines.sources.batches import Batch, Rows
from pipelines.sql import only_row


class Taken(NamedTuple):
    """Rows that were read: how many they are, and how many rejects came with them."""

    rows: Rows
    row_count: int
    reject_count: int


def accounted(
    connection: duckdb.DuckDBPyConnection, batch: Batch, rows: Rows, read: Callable[[Rows], Taken]
) -> Taken:
    """Read the rows of a batch; where some are missing, read them again with more care.

    Raise ExportError if they are missing then, too: nobody would know that they are lost.
    """
    taken = read(rows)
    if rows.again and _missing(connection, taken):
        taken = read(rows.again())
    if missing := _missing(connection, taken):
        raise batch.refused(
            f"{missing} of its {taken.rows.records} records are not accounted for, so nothing of it"
            " is loaded: a fault of this program; report it, with the file"
        )
    return taken


def _missing(connection: duckdb.DuckDBPyConnection, taken: Taken) -> int:
    """Return how many records are neither row nor reject; fewer than none if some came twice."""
    rows = taken.rows
    if rows.records is None:
        return 0
    found = only_row(connection.execute(rows.found))[0] if rows.found else taken.row_count
    return rows.records - (found or 0) - taken.reject_count
