"""Convert money into the client's currency."""

from sqlmesh import macro


@macro()
def in_own_currency(evaluator, amount, currency, rate):
    """Return an amount in the client's currency, not yet rounded; NULL where it needs a rate and has none.

    `@in_own_currency(cost, costs.currency, prices.rate)`: the client's own currency needs no rate, nor does an amount of 0.
    DuckDB multiplies decimals of 18 digits within 18, so one of the two is wider here.
    """
    own = evaluator.blueprint_var("currency")
    name, code, price = (part.sql("duckdb") for part in (amount, currency, rate))
    return f"CASE WHEN {code} = {own} OR {name} = 0 THEN {name} ELSE {name}::DECIMAL(20, 6) * {price} END"
