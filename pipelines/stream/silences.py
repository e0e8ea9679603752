"""Know a client's habit: how long its deals are quiet at most, and say when it is quiet for longer."""

from datetime import datetime, timedelta

REMEMBERED = timedelta(days=28)
KNOWN_AFTER = timedelta(days=7)  # a week, as a weekend is quiet
AT_LEAST = timedelta(hours=1)
LONGER = 1.5  # times the longest silence

Silences = dict[str, float]  # by the day on which one ended: the longest, in seconds


def ended(silences: Silences, began: datetime, now: datetime) -> Silences:
    """Return the silences with one that has ended; those of more than four weeks ago are forgotten."""
    oldest, day = str((now - REMEMBERED).date()), str(now.date())
    kept = {each: seconds for each, seconds in silences.items() if each >= oldest}
    return kept | {day: max((now - began).total_seconds(), kept.get(day, 0.0))}


def longest(silences: Silences) -> timedelta:
    """Return the longest silence that is known."""
    return timedelta(seconds=max(silences.values(), default=0.0))


def is_too_long(silences: Silences, began: datetime, now: datetime) -> bool:
    """Return whether a silence is longer than the client's habit, as far as that is known."""
    if not silences or str((now - KNOWN_AFTER).date()) < min(silences):
        return False
    return now - began > max(longest(silences) * LONGER, AT_LEAST)
