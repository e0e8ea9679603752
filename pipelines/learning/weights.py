"""Find the weights of channels by which credit, shared inside each conversion, adds up to what was learnt.

A conversion is shared among the distinct channels of its path in proportion to their weights. The
weights are those of iterative proportional fitting (Deming, Stephan 1940), which multiplies each by
what its channel has learnt over what it is credited, until nothing moves: where any weights reach the
totals, these do. Example: of A>B 3 times and A once, with 2 for each: A has its one alone, so of the
other three it takes one and B two, and the weights are as 1 to 2.

Some totals no weights reach: a channel that is alone on many paths takes those whole, whatever it
has learnt. Fitting then ends at the reachable totals that are nearest to what was learnt (in
I-divergence, and no others move less credit: half the sum of the differences). A channel that has
learnt more than it can be given outweighs the others so far that it takes all it meets.

Fitting step by step would not get there: weights that go to 0 or to infinity move ever slower. So a
step here is that of many at once: u, the logarithms of the weights, move from v to where the credit
is c(u) = learnt * exp(-e * (u - v)), which is the limit of 1/e small steps of fitting, taken
implicitly. It is the minimum of a smooth convex function, found by Newton's method; e falls from a
tenth to 1e-10. Channels whose weights come to differ by more than exp(APART) have parted: those below
have only what is theirs alone, to which their totals are then scaled, so that they drift no further.
"""

from typing import NamedTuple

import numpy as np

APART = 30.0  # exp(-30), about 1e-13, is what the lighter of two that have parted takes
_LEAST = 1e-9  # what a channel that has learnt nothing counts as: this share of all
_STEPS = range(1, 11)  # e of a step is 10 to minus this
_PARTING = 4  # from this step on, what has parted is taken to stay so
_NEWTON_STEPS = 100
_EXACT = 1e-10  # of all credit: nearer is near enough


class Conversions(NamedTuple):
    """What is shared: each set of channels, and how many conversions, or how much revenue, it has."""

    members: (
        np.ndarray
    )  # a row for each set, a column for each channel, true where it is one of them
    amounts: np.ndarray  # of each set

    def credited(self, weights: np.ndarray) -> np.ndarray:
        """Return what each channel gets by some weights."""
        if not len(self.amounts):
            return np.zeros(len(weights))
        return self.amounts @ _shares(self.members, np.log(weights))[0]


def fitted(conversions: Conversions, learnt: np.ndarray) -> np.ndarray:
    """Return a weight above 0 for each channel, 1 the largest.

    `learnt` are the channels' totals, or their shares of all. They are where fitting begins, and
    what a channel on none of the paths keeps. Where there is nothing to share, all weigh the same.
    """
    members, amounts = conversions
    if not (total := amounts.sum()) > 0 or not learnt.sum() > 0:
        return np.ones(len(learnt))
    logs = np.log(np.maximum(learnt / learnt.sum(), _LEAST))
    on_paths = (members & (amounts > 0)[:, None]).any(axis=0)
    if on_paths.any():
        logs[on_paths] = _fit(
            members[amounts > 0][:, on_paths], amounts[amounts > 0] / total, logs[on_paths]
        )
    return np.exp(np.maximum(logs - logs.max(), np.log(np.finfo(float).tiny)))


def _fit(members: np.ndarray, amounts: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return logarithms of the weights; the amounts sum to 1, as do the totals that are sought."""
    logs, totals = start, np.exp(start) / np.exp(start).sum()
    for step in _STEPS:
        logs = _stepped(logs, totals, 10.0**-step, members, amounts)
        credited = amounts @ _shares(members, logs)[0]
        if np.abs(credited - totals).sum() <= _EXACT:
            break
        if step >= _PARTING:
            totals = _reachable(logs, totals, credited)
    return _no_further(logs)


def _stepped(
    start: np.ndarray, totals: np.ndarray, e: float, members: np.ndarray, amounts: np.ndarray
) -> np.ndarray:
    """Return where a step of fitting ends, by Newton's method with a search along each direction."""

    def height(logs: np.ndarray) -> float:
        with np.errstate(over="ignore"):
            back = (totals * np.exp(-e * (logs - start)) / e).sum()
        return amounts @ _shares(members, logs)[1] + back

    logs, now = start, height(start)
    for _ in range(_NEWTON_STEPS):
        shares, _ = _shares(members, logs)
        credited, sought = amounts @ shares, totals * np.exp(-e * (logs - start))
        slope = credited - sought
        if np.abs(slope).sum() <= _EXACT / 10:
            break
        curvature = np.diag(credited + e * sought) - (shares * amounts[:, None]).T @ shares
        direction = -np.linalg.solve(curvature + 1e-15 * np.eye(len(logs)), slope)
        size = 1.0
        if -slope @ direction <= 1e-15 * abs(now):  # as low as numbers tell apart
            return logs + direction
        while (then := height(logs + size * direction)) > now + 1e-4 * size * slope @ direction:
            size /= 2
            if size < 1e-9:
                return logs
        logs, now = logs + size * direction, then
    return logs


def _reachable(logs: np.ndarray, totals: np.ndarray, credited: np.ndarray) -> np.ndarray:
    """Return totals that each part of the channels reaches: of all that have not parted together."""
    order = np.argsort(logs, kind="stable")
    part = np.empty(len(logs), dtype=int)
    part[order] = np.concatenate([[0], np.cumsum(np.diff(logs[order]) > APART)])
    return totals * (np.bincount(part, credited) / np.bincount(part, totals))[part]


def _no_further(logs: np.ndarray) -> np.ndarray:
    """Return logarithms no further apart than need be, the heaviest as it is.

    Only the end is brought so near: what parted from others early lets these fall far yet.
    """
    order = np.argsort(logs, kind="stable")
    below = np.cumsum(np.minimum(np.diff(logs[order]), APART)[::-1])[::-1]
    near = np.empty(len(logs))
    near[order] = logs[order[-1]] - np.concatenate([below, [0]])
    return near


def _shares(members: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each channel's share of each set, and the logarithm of the sum of the set's weights."""
    own = np.where(members, logs, -np.inf)
    largest = own.max(axis=1, keepdims=True)
    weights = np.exp(own - largest)
    sums = weights.sum(axis=1, keepdims=True)
    return weights / sums, (largest + np.log(sums))[:, 0]
