"""Take off an amount what was given back of it."""

from sqlmesh import macro


@macro()
def net_of(evaluator, amount, refunds):
    """Return an amount less its refunds; 0 where one of them is of the whole.

    `@net_of(versions.revenue, refunds)`, with `refunds` a table that has `given_back` and `is_whole`, or
    no row for what was never refunded. Example: 100.00, of which 30.00 were given back, is 70.00.
    """
    whole, table = amount.sql("duckdb"), refunds.sql("duckdb")
    return f"CASE WHEN {table}.is_whole THEN 0 ELSE {whole} - COALESCE({table}.given_back, 0) END"
