"""When each version of a row held."""

from sqlmesh import macro


@macro()
def history(evaluator, table, key):
    """Return all rows of a table of versions with `valid_from` and `valid_until`, UTC.

    `FROM @history(@{client}_journeys.conversions, conversion_id) AS deals`, or a key of several
    columns: `(currency, date)`. A version is valid from its `loaded_at` until the next one of its
    key, excluded; the newest until 9999-12-31. So what was valid at a moment is
    `moment >= valid_from AND moment < valid_until`, and two spans share a moment if each begins
    before the other ends. Example, of deal 7: loaded on the 1st and again on the 4th gives the
    spans 1st to 4th, and 4th to 9999-12-31.
    """
    columns = ", ".join(column.sql("duckdb") for column in key.expressions or [key])
    return (
        "(SELECT *, loaded_at AS valid_from, COALESCE("
        f"LEAD(loaded_at) OVER (PARTITION BY {columns} ORDER BY loaded_at),"
        f" '9999-12-31'::TIMESTAMP) AS valid_until FROM {table.sql('duckdb')} AS versions)"
    )
