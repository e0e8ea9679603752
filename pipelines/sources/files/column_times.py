"""Read the time of a delivery from a column of it, for `ordered_by: {column: exported_at}`."""

from typing import Any

import duckdb

from pipelines.contracts.contract import Column, Contract
from pipelines.sources.batches import Batch
from pipelines.sources.files.delivery_groups import by_file_times, by_names

CONTRACT = Contract({"time": Column("text", "When the row was exported", required=True)}, "")


def newest(batch: Batch, column: str) -> Any:
    """Return the largest value of the column: a time, or a number as an epoch is one.

    Raise ExportError if a delivery lacks the column, or has no such value in it.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        with batch.open(connection) as rows:
            value = f"NULLIF(TRIM({rows.columns['time']}::TEXT), '')"
            found = connection.execute(
                f"""SELECT MAX(TRY_CAST(value AS DOUBLE)), MAX(TRY_CAST(value AS TIMESTAMPTZ)::TEXT),
                COUNT(*), COUNT(TRY_CAST(value AS DOUBLE)), COUNT(TRY_CAST(value AS TIMESTAMPTZ))
                FROM (SELECT {value} AS value FROM {rows.relation}) WHERE value IS NOT NULL"""
            ).fetchone()
    number, time, count, numbers, times = found or (None, None, 0, 0, 0)
    if count and times == count:
        return time
    if count and numbers == count:
        return number
    reason = f"not each value of its column {column} is a time, as `ordered_by:` says"
    raise batch.refused(reason, [by_file_times(), by_names()])
