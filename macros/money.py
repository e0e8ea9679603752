"""Money is exact: decimals with the currency's own number of digits."""

from sqlmesh import macro


@macro()
def money(evaluator, amount):
    """Return an amount in the client's currency, to its minor unit.

    `@money(revenue)` is `CAST(revenue AS DECIMAL(18, 2))` for EUR, `DECIMAL(18, 0)` for JPY.
    """
    digits = evaluator.blueprint_var("minor_digits")
    return f"CAST({amount.sql('duckdb')} AS DECIMAL(18, {digits}))"
