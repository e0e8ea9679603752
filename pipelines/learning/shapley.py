"""Learn channels' values by the Shapley value (Shapley 1953, A value for n-person games).

The worth of a set of channels is one of two:

`conversions`: how many conversions have all their channels in the set. Each path is then a game of
its own in which only all its channels together win, so it shares its conversions equally among them:
the sum over paths is the Shapley value, exactly, for any number of channels.

`conversion_rate`: how many of the journeys of exactly these channels converted, as in DP6's
Marketing-Attribution-Models. Each set of channels that was seen is a game of its own, and its value
is scaled to its conversions. A channel that lowers rates has a negative value there.
"""

from collections.abc import Iterator
from math import factorial

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.learning.channel_values import ChannelLearner, told_without_nulls
from pipelines.settings.attribution import Attribution
from pipelines.sql import only_row

MAXIMUM_CHANNELS = 62  # a set of channels is a number of so many bits
_ROWS_AT_ONCE = 2**20  # subsets that are looked up together

_SETS = """
CREATE TEMP TABLE sets AS
WITH whole AS (
  SELECT path, SUM(conversions) AS conversions, SUM(nulls) AS nulls
  FROM paths WHERE len(path) > 0 AND conversions + nulls > 0 GROUP BY path
)
SELECT list_sort(list_distinct(path)) AS channels, SUM(conversions) AS conversions, SUM(nulls) AS nulls
FROM whole GROUP BY 1
"""


def shapley(
    paths: pa.Table,
    worth: str = "conversions",
    exact_channels: int = 12,
    permutations: int = 1000,
) -> pa.Table:
    """Return `channel`, `shapley` (in conversions), `standard_error` (the same) and `value`.

    `paths` is as for the Markov chain. `shapley` sums to the conversions. `value` is its share, sums
    to 1, and is 0 where `shapley` is negative; without any conversion, all are. The error is 0 but
    for `conversion_rate` where journeys have more than `exact_channels` channels: for those, so many
    random `permutations` are drawn, always the same.
    Raise ValueError if `conversion_rate` meets more than MAXIMUM_CHANNELS channels.
    """
    with duckdb.connect() as connection:
        connection.register("paths", paths)
        connection.execute(_SETS)
        found = (_by_conversions if worth == "conversions" else _by_rate)(
            connection, exact_channels, permutations
        )
    names, values, errors = found
    shares = values.clip(0)
    return pa.table(
        {
            "channel": pa.array(names, pa.string()),
            "shapley": values,
            "standard_error": errors,
            "value": shares / shares.sum() if shares.sum() > 0 else shares,
        }
    )


def _by_conversions(connection: duckdb.DuckDBPyConnection, *_) -> tuple:
    """Return channels, values, errors; the sums are of integers, by size, so they are exact."""
    rows = connection.execute(
        """WITH members AS (
          SELECT UNNEST(channels) AS channel, len(channels) AS size, conversions FROM sets
        ), sizes AS (
          SELECT channel, size, SUM(conversions) AS conversions FROM members GROUP BY channel, size
        )
        SELECT channel, list(conversions / size ORDER BY size) FROM sizes
        GROUP BY channel ORDER BY channel"""
    ).fetchall()
    values = np.array([sum(parts) for _, parts in rows], dtype=float)
    return [channel for channel, _ in rows], values, np.zeros(len(rows))


def _by_rate(connection: duckdb.DuckDBPyConnection, exact: int, permutations: int) -> tuple:
    """Return channels, values, errors: the sums over the games of all sets that converted."""
    distinct = "SELECT list_sort(list_distinct(flatten(list(channels)))) FROM sets"
    (names,) = only_row(connection.execute(distinct))
    if len(names or []) > MAXIMUM_CHANNELS:
        raise ValueError(
            f"{len(names)} channels, conversion_rate knows {MAXIMUM_CHANNELS} at most:"
            " set attribution.shapley.worth to conversions"
        )
    rows = connection.execute(
        """SELECT
          list_sum(list_transform(channels, lambda c: 1::BIGINT << (list_position($names, c) - 1)))::BIGINT AS members,
          conversions::DOUBLE AS conversions, (conversions + nulls)::DOUBLE AS seen
        FROM sets ORDER BY members""",
        {"names": names or []},
    ).fetchnumpy()
    values, variances = np.zeros(len(names or [])), np.zeros(len(names or []))
    rates = rows["conversions"] / rows["seen"]
    won = rows["conversions"] > 0
    for players in _games(rows["members"][won]):
        size = players.shape[1]
        sets = (1 << players).sum(axis=1)
        scale = rows["seen"][np.searchsorted(rows["members"], sets)]
        worths = _Worths(rows["members"], rates)
        if size <= exact:
            shares, variance = _exact(players, worths), np.zeros(players.shape)
        else:
            shares, variance = _sampled(players, worths, permutations)
        np.add.at(values, players, shares * scale[:, None])
        np.add.at(variances, players, variance * scale[:, None] ** 2)
    return names or [], values, np.sqrt(variances)


class _Worths:
    """What sets of channels are worth: the rate of the journeys of exactly these; 0 if never seen."""

    def __init__(self, members: np.ndarray, rates: np.ndarray) -> None:
        self._members, self._rates = members, rates

    def __getitem__(self, sets: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self._members, sets).clip(max=len(self._members) - 1)
        return np.where(self._members[places] == sets, self._rates[places], 0.0)


def _games(members: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the sets as rows of channel numbers, those of a size together, a million subsets at once."""
    bits = (members[:, None] >> np.arange(MAXIMUM_CHANNELS)) & 1
    sizes = bits.sum(axis=1)
    for size in np.unique(sizes):
        players = np.nonzero(bits[sizes == size])[1].reshape(-1, size)
        step = max(1, _ROWS_AT_ONCE >> int(size))
        for start in range(0, len(players), step):
            yield players[start : start + step]


def _exact(players: np.ndarray, worths: _Worths) -> np.ndarray:
    """Return each player's Shapley value over all 2^n coalitions; a game a row."""
    n = players.shape[1]
    coalitions = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    sets = (1 << players) @ coalitions.T
    sizes = coalitions.sum(axis=1)
    joined = [factorial(s - 1) * factorial(n - s) / factorial(n) if s else 0.0 for s in sizes]
    missed = [factorial(s) * factorial(n - s - 1) / factorial(n) if s < n else 0.0 for s in sizes]
    weights = np.where(coalitions, np.array(joined)[:, None], -np.array(missed)[:, None])
    return worths[sets] @ weights


def _sampled(
    players: np.ndarray, worths: _Worths, permutations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean gain of each player in random orders of joining, and the variance of that mean."""
    shares, variances = np.zeros(players.shape), np.zeros(players.shape)
    for game, members in enumerate(players):
        random = np.random.default_rng([int(member) for member in members])
        orders = random.permuted(np.tile(members, (permutations, 1)), axis=1)
        steps = worths[np.cumsum(1 << orders, axis=1)]
        gains = np.diff(steps, axis=1, prepend=0.0)
        by_player = np.take_along_axis(gains, np.argsort(orders, axis=1), axis=1)
        shares[game] = by_player.mean(axis=0)
        variances[game] = by_player.var(axis=0, ddof=1) / permutations
    return shares, variances


def _told(paths: pa.Table, settings: Attribution) -> tuple[Attribution, str]:
    """Return the settings, and what to say where rates tell nothing."""
    by_rate = settings.shapley.worth == "conversion_rate"
    return told_without_nulls(paths, settings) if by_rate else (settings, "")


LEARNER = ChannelLearner(
    folder=lambda settings: f"shapley_weights_{settings.shapley.worth}",
    values=lambda paths, settings: shapley(paths, **settings.shapley.model_dump()),
    shares_equally=lambda settings: settings.shapley.worth == "conversions",
    settled=_told,
    older=lambda settings: f"shapley_{settings.shapley.worth}",
)
