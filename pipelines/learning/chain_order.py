"""Compare the orders of a Markov chain by how likely journeys are that it did not learn from.

People are in four parts by a hash of who they are, and each part's journeys are foretold by chains of
the other three: each step, and the end, a conversion or not. What follows a state that was seen n
times, `times` of them so, has the chance (times + 1 / k) / (n + 1), where k things can follow: so
nothing is impossible, every order foretells the same, and a state that is seldom seen foretells
little. Only the choice is smoothed; removal effects are of the chain as counted.
"""

import duckdb
import pyarrow as pa

from pipelines.sql import only_row

ORDERS = (1, 2, 3, 4)
_PARTS = 4

_STEPS = """
CREATE TEMP TABLE steps AS
WITH numbered AS (
  SELECT
    person_group % {parts} AS part, list_transform(path, lambda channel: list_position($names, channel)) AS path,
    conversions, nulls
  FROM paths WHERE len(path) > 0
), changes AS (
  SELECT part, list_filter(path, lambda c, i: i = 1 OR c <> path[i - 1]) AS path, conversions, nulls FROM numbered
), steps AS (
  SELECT part, path, UNNEST(range(0, len(path) + 1)) AS i, conversions, nulls FROM changes
), ends AS (
  SELECT part, path[greatest(i - 3, 1):i] AS history, path[i + 1] AS next, conversions + nulls AS seen
  FROM steps WHERE i < len(path)
  UNION ALL SELECT part, path[greatest(i - 3, 1):i], 0, conversions FROM steps WHERE i = len(path)
  UNION ALL SELECT part, path[greatest(i - 3, 1):i], -1, nulls FROM steps WHERE i = len(path)
)
SELECT part, history, next, SUM(seen)::DOUBLE AS seen FROM ends GROUP BY ALL HAVING SUM(seen) > 0
"""
_STATES = "SELECT {states} FROM steps"
_LIKELIHOODS = """
WITH counted AS (
  SELECT seen, {counts} FROM steps
)
SELECT {sums} FROM counted
"""


def held_out_likelihoods(paths: pa.Table, maximum_states: int) -> dict[int, float]:
    """Return the log-likelihood of a held-out journey by order; only of chains that are not too large."""
    with duckdb.connect() as connection:
        connection.register("paths", paths)
        distinct = "SELECT list_sort(list_distinct(flatten(list(path)))) FROM paths"
        (names,) = only_row(connection.execute(distinct))
        connection.execute(_STEPS.format(parts=_PARTS), {"names": names or []})
        states = ", ".join(f"COUNT(DISTINCT {_state(order)})" for order in ORDERS)
        sizes = dict(zip(ORDERS, only_row(connection.execute(_STATES.format(states=states)))))
        orders = [order for order in ORDERS if order == 1 or sizes[order] < maximum_states]
        share = f"1::DOUBLE / {len(names or []) + 2}"
        query = _LIKELIHOODS.format(
            counts=", ".join(_counts(order) for order in orders),
            sums=", ".join(
                f"SUM((seen * LN((times_{order} + {share}) / (all_{order} + 1)))::DECIMAL(38, 9))"
                for order in orders
            ),
        )
        journeys = only_row(connection.execute("SELECT SUM(seen) FROM steps WHERE next <= 0"))[0]
        found = only_row(connection.execute(query))
    return {order: float(value or 0) / (journeys or 1) for order, value in zip(orders, found)}


def _state(order: int) -> str:
    """Return SQL for the state that a step leaves: the last channels before it, none at the start."""
    return f"history[-{order}:]"


def _counts(order: int) -> str:
    """Return SQL for how often a state, and a step from it, is met in the other parts."""
    state = _state(order)

    def others(*keys: str) -> str:
        by = ", ".join(keys)
        return f"SUM(seen) OVER (PARTITION BY {by}) - SUM(seen) OVER (PARTITION BY part, {by})"

    return f"{others(state, 'next')} AS times_{order}, {others(state)} AS all_{order}"
