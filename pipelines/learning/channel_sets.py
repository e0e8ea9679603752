"""Read journeys as sets of channels, for what knows neither their order nor repeats."""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

_SETS = """
SELECT list_sort(list_distinct(path)) AS channels, {sums} FROM paths
WHERE len(path) > 0 GROUP BY 1 HAVING SUM({seen}) > 0 ORDER BY 1
"""


class ChannelSets(NamedTuple):
    """Each set of channels that journeys have, and how much of what was counted it has."""

    names: list[str]  # of the channels
    members: (
        np.ndarray
    )  # a row for each set, a column for each channel, true where it is one of them
    amounts: list[np.ndarray]  # of each set, by what was counted


def channel_sets(paths: pa.Table, *counted: str, seen: str = "conversions") -> ChannelSets:
    """Return the sets of channels of `paths`, with the sums of the `counted` columns, in order.

    Sets of which nothing was `seen` are left out: a column, or an expression such as
    `conversions + nulls`. Example: A>B>A twice and B>A once are the set AB with 3 conversions.
    """
    sums = ", ".join(f"SUM({column})::DOUBLE AS {column}" for column in counted)
    with duckdb.connect() as connection:
        connection.register("paths", paths)
        rows = connection.execute(_SETS.format(sums=sums, seen=seen)).fetchall()
    names = sorted({channel for channels, *_ in rows for channel in channels})
    place = {name: number for number, name in enumerate(names)}
    members = np.zeros((len(rows), len(names)), dtype=bool)
    for row, (channels, *_) in enumerate(rows):
        members[row, [place[channel] for channel in channels]] = True
    amounts = np.array([row[1:] for row in rows], dtype=float).reshape(len(rows), len(counted))
    return ChannelSets(names, members, list(amounts.T))
