"""Money in other currencies is told in the client's."""

from sqlmesh import macro


@macro()
def in_own_currency(evaluator, amount, currency, rate):
    """Return an amount in the client's currency, not yet rounded; NULL where it needs a rate and has none.

    `@in_own_currency(cost, costs.currency, prices.rate)`: the client's own needs none, nor does 0.
    DuckDB multiplies decimals of 18 digits within 18, so one of the two is wider here.
    """
    own = evaluator.blueprint_var("currency")
    name, said, price = (part.sql("duckdb") for part in (amount, currency, rate))
    return f"CASE WHEN {said} = {own} OR {name} = 0 THEN {name} ELSE {name}::DECIMAL(20, 6) * {price} END"
