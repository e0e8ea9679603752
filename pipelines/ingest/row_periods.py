"""Refuse a report whose rows are weeks or months: their cost would all count on the first day."""

import duckdb

from pipelines.sources.batches import Batch, Rows


def refuse_periods(connection: duckdb.DuckDBPyConnection, batch: Batch, rows: Rows) -> None:
    """Raise ExportError if a row's period ends on another day than it begins on; sums have no campaign."""
    if not rows.days:
        return
    begins, ends = (f"TRIM(({value})::TEXT)" for value in rows.days)
    key = f"NULLIF(TRIM(({rows.columns['campaign_id']})::TEXT), '')"
    found = connection.execute(
        f"""SELECT begins, ends FROM (
          SELECT {begins} AS begins, {ends} AS ends FROM {rows.relation} WHERE {key} IS NOT NULL
        ) WHERE begins <> ends LIMIT 1"""
    ).fetchone()
    if found:
        raise batch.refused(
            f"a row is from {found[0]} to {found[1]}, and spend is of a day: break the report down by day, and"
            " export it again"
        )
