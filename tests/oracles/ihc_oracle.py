"""What the local model of IHC should say: its definition, session by session in plain Python."""

from itertools import pairwise
from typing import NamedTuple


class Session(NamedTuple):
    """One session of a journey: hours since some moment, and what it may be."""

    at: float
    holds: bool = True
    closes: bool = True
    channel: str = "Email"


class Curves(NamedTuple):
    """What a client's journeys have taught, in hours."""

    i0: float = 24
    i1: float = 168
    closer_hours: tuple[float, ...] = tuple(range(168))


class Weights(NamedTuple):
    """What a phase weighs."""

    initializer: float = 1
    holder: float = 1
    closer: float = 1


PHASES = Weights(0.33, 0.38, 0.29)


def scores(
    journey: list[Session],
    curves: Curves = Curves(),
    phases: Weights = PHASES,
    channels: dict[str, Weights] | None = None,
) -> list[float]:
    """Return each session's share of the conversion; sessions are in order, the last converts."""
    n = len(journey)
    begins = [1.0]
    for before, after in pairwise(journey):
        gap = _hours(before, after)
        if gap <= curves.i0:
            begins.append(0.0)
        elif gap >= curves.i1:
            begins.append(1.0)
        else:
            begins.append((gap - curves.i0) / (curves.i1 - curves.i0))
    ends = []
    for k, session in enumerate(journey):
        left = _hours(session, journey[-1])
        earlier = sum(hours >= left for hours in curves.closer_hours)
        if k == n - 1:
            ends.append(1.0)
        elif session.closes and curves.closer_hours:
            ends.append(earlier / len(curves.closer_hours))
        else:
            ends.append(0.0)
    restart = max(k for k in range(n) if begins[k] == 1)
    held = []
    for k in range(n):
        a, b = 1 - begins[k] / sum(begins), 1 - ends[k] / sum(ends)
        mean, harmonic = (a + b) / 2, 2 * a * b / (a + b) if a + b else 0
        held.append((mean + harmonic) / 2 if journey[k].holds and k >= restart else 0.0)
    begun = [begins[k] if k >= restart else 0.0 for k in range(n)]
    total, whole = [0.0] * n, 0.0
    for phase, shares in zip(Weights._fields, (begun, held, ends)):
        shares = [
            share * getattr((channels or {}).get(session.channel, Weights()), phase)
            for share, session in zip(shares, journey)
        ]
        if sum(shares) > 1e-15:
            weight = getattr(phases, phase)
            whole += weight
            total = [t + weight * share / sum(shares) for t, share in zip(total, shares)]
    return [score / whole for score in total]


def _hours(before: Session, after: Session) -> float:
    """Return the time between two sessions, which is told in whole seconds."""
    return round((after.at - before.at) * 3600) / 3600
