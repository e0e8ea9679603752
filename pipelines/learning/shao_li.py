"""Learn channels' values by the probabilistic model of the second order of Shao and Li.

Shao, Li (2011), Data-driven multi-touch attribution models, KDD '11, section 4.2. Of journeys that met a
channel i, the share p(i) converted; of those that met i and j both, p(i, j). In a journey that converted
and met n channels, the contribution of channel i is

    C(i) = p(i) + 1 / (2 (n - 1)) * the sum over its other channels j of (p(i, j) - p(i) - p(j))

and p(i) where it is alone: what a pair does beyond both of its channels is divided between them equally.

The contributions of a journey sum to the sum of p(i, j) over its pairs, divided by n - 1. This is above 0,
because each of its pairs converted at least once, here, and is not 1. So each conversion is divided in
proportion to its contributions; one below 0, of a channel with which fewer convert, counts 0. What a
channel has of all conversions is its total.

Example: of journeys over A alone 3 of 4 convert, over B alone 1 of 4, over both 2 of 2. So p(A) is 5/6,
p(B) 3/6, p(A, B) 1, and of each conversion over both A has (1 + 5/6 - 3/6) / 2 = 2/3, B has 1/3.
"""

import numpy as np
import pyarrow as pa

from pipelines.learning.channel_sets import channel_sets
from pipelines.learning.channel_values import ChannelLearner, told_without_nulls


def shao_li(paths: pa.Table) -> pa.Table:
    """Return `channel`, `contribution` (the sum of C over conversions) and `value` (share of all, sums to 1).

    `paths` is as for the Markov chain; a journey counts once for each of its channels, whatever
    their order and however often it meets one. Without any conversion, all is 0.
    """
    names, members, (conversions, nulls) = channel_sets(
        paths, "conversions", "nulls", seen="conversions + nulls"
    )
    contributions = _contributions(members, conversions, nulls)
    positive = contributions.clip(0)
    sums = positive.sum(axis=1, keepdims=True)
    shares = np.divide(positive, sums, out=np.zeros_like(positive), where=sums > 0)
    total = conversions.sum()
    return pa.table(
        {
            "channel": pa.array(names, pa.string()),
            "contribution": conversions @ contributions,
            "value": conversions @ shares / total if total > 0 else np.zeros(len(names)),
        }
    )


def _contributions(members: np.ndarray, conversions: np.ndarray, nulls: np.ndarray) -> np.ndarray:
    """Return C of each channel in each set, 0 where it is not in the set."""
    inside = members.astype(float)
    converted, seen = (
        inside.T @ (inside * each[:, None]) for each in (conversions, conversions + nulls)
    )
    rates = np.divide(converted, seen, out=np.zeros_like(seen), where=seen > 0)  # p(i) where i is j
    own = rates.diagonal()
    others = inside.sum(axis=1, keepdims=True) - 1
    pairs = inside @ rates - own  # over the other channels of the set
    singles = (inside @ own)[:, None] - own + others * own
    together = np.divide(pairs - singles, 2 * others, out=np.zeros_like(pairs), where=others > 0)
    return np.where(members, own + together, 0)


LEARNER = ChannelLearner(
    folder=lambda settings: "shao_li",
    values=lambda paths, settings: shao_li(paths),
    settled=told_without_nulls,
)
