"""Say how far what was learnt depends on who came: standard errors by a jackknife over groups of people.

People are in groups by a hash of who they are. The model learns again without each group in turn; with
G groups the variance is (G - 1) / G times the sum of squared differences from the mean of what it learns
then (the delete-a-group jackknife, Kott 2001). Nothing is drawn, so the same journeys have the same error.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute


def standard_errors(
    values: Callable[[pa.Table], pa.Table], paths: pa.Table, channels: list[str]
) -> list[float | None]:
    """Return the standard error of each channel's value; none where all journeys are in one group."""
    groups = [
        group for group in compute.unique(paths["person_group"]).to_pylist() if group is not None
    ]
    if len(groups) < 2:
        return [None] * len(channels)
    found = np.array(
        [_without(group, values, paths, channels) for group in sorted(groups)], dtype=float
    )
    spread = ((found - found.mean(axis=0)) ** 2).sum(axis=0)
    return np.sqrt((len(groups) - 1) / len(groups) * spread).tolist()


def _without(
    group: int, values: Callable[[pa.Table], pa.Table], paths: pa.Table, channels: list[str]
) -> list[float]:
    rest = paths.filter(compute.not_equal(paths["person_group"], group))
    table = values(rest)
    learnt = dict(zip(table["channel"].to_pylist(), table["value"].to_pylist()))
    return [learnt.get(channel, 0.0) for channel in channels]
