"""Learn channels' values by removal effects in an absorbing Markov chain, solved exactly.

Anderl, Becker, von Wangenheim, Schumann (2016), Mapping the customer journey, IJRM 33(3): journeys
go from start over channels to conversion or null; a channel is worth the conversions that are lost without it.

A state of order k is the last k channels. A channel that follows itself is one step, at every order:
in a chain of order 1 that changes no probability of conversion; at higher orders the states then
hold k different steps.
"""

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.learning.chain_order import held_out_likelihoods
from pipelines.learning.channel_values import ChannelLearner
from pipelines.settings.attribution import Attribution

MAXIMUM_STATES = 4000  # a square of doubles of this size is 128 MB

# A state is a number: its channels' numbers, from 1, as digits to a base; the last channel is the
# lowest digit. A path that is shorter than the order has zeros before it; 0 is the start.
_TRANSITIONS = """
CREATE TEMP TABLE transitions AS
WITH whole AS (
  SELECT path::CHANNEL[] AS path, SUM(conversions) AS conversions, SUM(nulls) AS nulls, SUM({worth}) AS worth
  FROM given WHERE conversions + nulls > 0 GROUP BY ALL
), changes AS (
  SELECT list_filter(path, lambda channel, i: i = 1 OR channel <> path[i - 1]) AS path, conversions, nulls, worth
  FROM whole
), steps AS (
  SELECT path, conversions, nulls, worth, UNNEST(range(1, len(path) + 1)) AS i FROM changes
)
SELECT
  {before} AS before, {after} AS after,
  SUM(conversions + nulls)::DOUBLE AS seen,
  COALESCE(SUM(worth) FILTER (i = len(path)), 0)::DOUBLE AS converted
FROM steps GROUP BY ALL
"""


def removal_effects(paths: pa.Table, order: int = 1, worth: str = "conversions") -> pa.Table:
    """Return `channel`, `removal_effect` (0 to 1) and `value` (share of all conversions, sums to 1).

    With `worth` `revenue`, which the paths have then, both are shares of revenue: a conversion is worth
    what conversions from its last state bring on average, as in ChannelAttribution.

    `paths` has `path` (a list of channels, oldest first), `conversions` and `nulls` (how many journeys
    along it converted, and how many did not); a path may be in several rows. Without nulls the
    removal effect is still there: a removed channel leads to null. Channels are in their order, those
    that lead to no conversion have the value 0; without any conversion, all have.
    Raise ValueError if the chain has more than MAXIMUM_STATES states.
    """
    with duckdb.connect() as connection:
        connection.register("given", paths)
        connection.execute(
            """CREATE TYPE CHANNEL AS ENUM (
              SELECT DISTINCT UNNEST(path) AS channel FROM given
              WHERE conversions + nulls > 0 ORDER BY channel
            )"""
        )
        named = connection.execute("SELECT UNNEST(enum_range(NULL::CHANNEL))").fetchall()
        channels = [channel for (channel,) in named]
        base = len(channels) + 1
        before, after = (_state("i - 1", base, order), _state("i", base, order))
        connection.execute(_TRANSITIONS.format(before=before, after=after, worth=worth))
        rows = connection.execute("FROM transitions ORDER BY before, after").fetchnumpy()
    effects = _effects(rows, len(channels), base, order) if channels else np.zeros(0)
    total = effects.sum()
    return pa.table(
        {
            "channel": pa.array(channels, pa.string()),
            "removal_effect": effects,
            "value": effects / total if total > 0 else effects,
        }
    )


def _state(last: str, base: int, order: int) -> str:
    """Return SQL for the state of a path at a position."""
    digits = (
        f"CASE WHEN {last} > {back} THEN enum_code(path[{last} - {back}]) + 1 ELSE 0 END * {base**back}::BIGINT"
        for back in range(order)
    )
    return " + ".join(digits)


def _effects(rows: dict[str, np.ndarray], channels: int, base: int, order: int) -> np.ndarray:
    """Return each channel's removal effect: the share of conversions that pass through its states.

    With N = (I - Q)^-1, whose entries are the expected visits, c = N r the chances of conversion, and
    R a channel's states: N[start, R] N[R, R]^-1 is where the channel is met first, times c[R] is what
    is lost. One inversion serves all channels (Kemeny, Snell 1960, Finite Markov Chains, chapter 3).
    """
    states = np.unique(np.concatenate([rows["before"], rows["after"]]))  # the start is the first
    if len(states) > MAXIMUM_STATES:
        raise ValueError(
            f"a chain of order {order} has {len(states)} states here, {MAXIMUM_STATES} at most:"
            " lower attribution.markov.order"
        )
    before, after = (np.searchsorted(states, rows[name]) for name in ("before", "after"))
    seen, converted = (
        np.bincount(after, rows[name], len(states)) for name in ("seen", "converted")
    )
    seen[0] = rows["seen"][before == 0].sum()
    moves = np.zeros((len(states), len(states)))
    moves[before, after] = rows["seen"] / seen[before]
    visits = np.linalg.inv(np.eye(len(states)) - moves)
    chances = visits @ (converted / seen)
    effects = np.zeros(channels)
    if chances[0] <= 0:
        return effects
    digits = states[:, None] // base ** np.arange(order) % base
    for number in range(1, channels + 1):
        held = np.flatnonzero((digits == number).any(axis=1))
        first_met = np.linalg.solve(visits[np.ix_(held, held)].T, visits[0, held])
        effects[number - 1] = first_met @ chances[held] / chances[0]
    return effects.clip(0, 1)


def _folder(settings: Attribution) -> str:
    by_revenue = "_revenue" if settings.markov.worth == "revenue" else ""
    return f"markov_weights_order_{settings.markov.order}{by_revenue}"


def _older(settings: Attribution) -> str:
    is_old = settings.markov.worth == "conversions" and settings.markov.order != "auto"
    return f"markov_order_{settings.markov.order}" if is_old else ""


def _ordered(paths: pa.Table, settings: Attribution) -> tuple[Attribution, str]:
    """Return settings with an order in place of `auto`, and why it is that one."""
    if settings.markov.order != "auto":
        return settings, ""
    likelihoods = held_out_likelihoods(paths, MAXIMUM_STATES)
    order = max(likelihoods, key=lambda each: (likelihoods[each], -each))
    said = ", ".join(f"{each}: {value:.4f}" for each, value in likelihoods.items())
    markov = settings.markov.model_copy(update={"order": order})
    decided = f"order {order}, by log-likelihood of a held-out journey ({said})"
    return settings.model_copy(update={"markov": markov}), decided


LEARNER = ChannelLearner(
    folder=_folder,
    values=lambda paths, settings: removal_effects(
        paths, int(settings.markov.order), settings.markov.worth
    ),
    worth=lambda settings: settings.markov.worth,
    settled=_ordered,
    older=_older,
)
