"""Say what is usual of a weekday, and whether a number is far off it: medians, which one odd day moves little.

A number is far off if it is at least twice or at most half the median of the same weekday, and further
from it than three and a half times their usual distance (Iglewicz and Hoaglin, 1993).
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

from pipelines.watch.daily_numbers import Days

WEEKS = 8  # that are compared with
FEWEST = 4  # of them; with fewer, nothing is usual yet
FAR = 3.5  # times the usual distance from the median
_NORMAL = (
    1.4826  # times the median distance is the standard deviation of what is distributed normally
)


class Usual(NamedTuple):
    """A number, and what is usual where it stands."""

    now: float
    usual: float
    weeks: int
    distance: float

    @property
    def is_far(self) -> bool:
        """Return whether the number is far off."""
        is_twice = self.now >= 2 * self.usual or self.now <= self.usual / 2
        return is_twice and abs(self.now - self.usual) > FAR * self.distance


def counted(usual: float) -> float:
    """Return how far counts lie from their usual by chance alone: of 100, ten; never less than one."""
    return max(usual, 1) ** 0.5


def of_money(usual: float) -> float:
    """Return how far sums of money lie from their usual on any day: a tenth."""
    return usual / 10


def of_sales(conversions: float) -> Callable[[float], float]:
    """Return the same for revenue: few sales of unlike sizes sum up to anything.

    Sales that differ as much as they are large, and come by chance, vary by 1.6 divided by the root of
    their number. Of fewer than ten a day only ten times the usual is far; of fewer than three, fifty.
    """
    if conversions >= 10:
        share = max(1.6 / conversions**0.5, 0.1)
    else:
        share = (10 if conversions >= 3 else 50) / FAR
    return lambda usual: share * usual


def weekday(
    days: Days, day: date, since: date, chance: Callable[[float], float], length: int = 1
) -> Usual | None:
    """Compare a day, or the days of a `length` that end with it, with the same ones of the weeks before.

    None where too few weeks since the first day are known.
    """
    weeks = range(1, WEEKS + 1) if length == 1 else range(length // 7, WEEKS + 1, length // 7)
    ends = [day - timedelta(weeks=week) for week in weeks]
    before = [total(days, end, length) for end in ends if end - timedelta(days=length) >= since]
    return compare(total(days, day, length), before, chance)


def compare(now: float, before: list[float], chance: Callable[[float], float]) -> Usual | None:
    """Compare a number with those before it; None where they are too few."""
    if len(before) < FEWEST:
        return None
    usual = median(before)
    distance = _NORMAL * median(abs(each - usual) for each in before)
    return Usual(now, usual, len(before), max(distance, chance(usual)))


def total(days: Days, last: date, length: int = 1) -> float:
    """Return the sum of the days of a length that end with a day."""
    return sum(days.get(str(last - timedelta(days=number)), 0) for number in range(length))


def summed(channels: Iterable[Days]) -> Days:
    """Return the sum of several channels' days."""
    all_days: Days = {}
    for days in channels:
        for day, number in days.items():
            all_days[day] = all_days.get(day, 0) + number
    return all_days
