"""Which version of a row holds now."""

from sqlmesh import macro


@macro()
def newest(evaluator, table, key, amount=None):
    """Return the newest version of each key in a table of versions; a deleted row stays one of them.

    `FROM @newest(@{client}_staging.stg_events, event_id)`, or a key of several columns:
    `(platform, spend_id)`. The newest is the one loaded last. Rows of a key that were loaded
    together differ only where the source wrote one key in two ways, such as a day as 2026-03-01 and
    2026-3-1: there a third argument decides, `@newest(@{client}_staging.stg_rates, (currency,
    rate_date), rate)`. A row that is not deleted comes first, then the largest amount.
    """
    columns = ", ".join(column.sql("duckdb") for column in key.expressions or [key])
    tie_break = f", is_deleted, {amount.sql('duckdb')} DESC" if amount else ""
    return (
        f"(SELECT * FROM {table.sql('duckdb')} AS versions QUALIFY ROW_NUMBER() OVER"
        f" (PARTITION BY {columns} ORDER BY loaded_at DESC{tie_break}) = 1)"
    )
