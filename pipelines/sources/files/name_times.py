"""Find the time that a delivery's name tells: a day, an hour, a month, or an epoch.

A time is a span, as names tell them: `2026-11-01` is a day, `2026-10` a month. Of several, as in
`Oct-1-2026-Oct-31-2026`, the last counts. `01-11-2026` may be read in two ways, and is found as both.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple


class Span(NamedTuple):
    """What a name tells: from a moment on, up to another."""

    start: datetime
    end: datetime


class Found(NamedTuple):
    """The time in a name: read with the day before the month, and with the month before it.

    The two differ only where the name does not say. `decides` tells which of them the name proves.
    """

    day_first: Span
    month_first: Span
    decides: str = ""


def time_in(name: str) -> Found | None:
    """Return the last time that a name tells; an epoch only if there is no other. None: it has none."""
    name = re.sub(r"(?:year|month|day|hour|date|dt)=", "", name, flags=re.IGNORECASE)
    found = [time for match in _CALENDAR.finditer(name) for time in _calendar(match)]
    found = found or [time for match in _EPOCH.finditer(name) for time in _epoch(match)]
    if not found:
        return None
    return Found(
        max((time.day_first for time in found), key=_end),
        max((time.month_first for time in found), key=_end),
        next((time.decides for time in found if time.decides), ""),
    )


def _end(span: Span) -> tuple[datetime, datetime]:
    return span.end, span.start


_MONTHS = (
    ("jan",),
    ("feb",),
    ("mar", "mär", "mrz"),
    ("apr",),
    ("may", "mai"),
    ("jun",),
    ("jul",),
    ("aug",),
    ("sep",),
    ("oct", "okt"),
    ("nov",),
    ("dec", "dez"),
)
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_LONG_MONTHS = (
    "january|januar|february|februar|march|märz|april|june|juni|july|juli|august|september|sept"
    "|october|oktober|november|december|dezember"
)
_MONTH = rf"(?:{_LONG_MONTHS}|{'|'.join(_MONTH_NUMBERS)})"
_YEAR, _GAP = r"20\d\d", r"[-_., ]*"
_CLOCK = (
    r"(?:[T _/-]?(?P<hour>[01]\d|2[0-3])[-:_.h]?(?P<minute>[0-5]\d)"
    r"(?:[-:_.]?(?P<second>[0-5]\d)(?:[.,]\d{3,6})?)?"
    r"(?:\+(?P<ahead>0\d|1[0-4])(?::?(?P<ahead_minutes>[0-5]\d))?)?(?![-_.:]?\d\d))?"
)
_CALENDAR = re.compile(
    "|".join(
        [
            rf"(?<!\d)(?P<iso>{_YEAR}(?P<mark>[-_./ ]?)(?:0[1-9]|1[0-2])(?P=mark)"
            rf"(?:0[1-9]|[12]\d|3[01])){_CLOCK}(?!\d)",
            rf"(?<!\d)(?P<short>{_YEAR}(?P<between>[-_./ ])\d\d?(?P=between)\d\d?)(?!\d)",
            rf"(?<!\d)(?P<week>{_YEAR}[-_ ]?W\d\d|(?:KW|W)[-_ ]?\d\d[-_ ]{_YEAR})(?!\d)",
            rf"(?<!\d)(?P<quarter>{_YEAR}[-_ ]?Q[1-4]|Q[1-4][-_ ]?{_YEAR})(?!\d)",
            rf"(?<!\d)(?P<numbers>\d\d?(?P<each>[-_./ ])\d\d?(?P=each){_YEAR})(?!\d)",
            rf"(?<![a-zä])(?P<words>{_MONTH}{_GAP}\d\d?(?:st|nd|rd|th)?[-_., ]+{_YEAR})(?!\d)",
            rf"(?<!\d)(?P<day_words>\d\d?(?:st|nd|rd|th)?{_GAP}{_MONTH}{_GAP}{_YEAR})(?!\d)",
            rf"(?<!\d)(?P<year_words>{_YEAR}{_GAP}{_MONTH}{_GAP}\d\d?)(?!\d)",
            rf"(?<![a-zä])(?P<month_words>{_MONTH}{_GAP}{_YEAR})(?!\d)",
            rf"(?<!\d)(?P<year_month>{_YEAR}{_GAP}{_MONTH})(?![a-zä])",
            rf"(?<!\d)(?P<month>{_YEAR}[-_./]?(?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])[-_./]{_YEAR})(?!\d)",
        ]
    ),
    re.IGNORECASE,
)
_EPOCH = re.compile(r"(?<!\d)1[4-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?!\d)")  # 2014 to 2033


def _calendar(match: re.Match) -> Iterator[Found]:
    """Yield the time that a part of a name tells, if there is such a day."""
    try:
        yield _read(match)
    except ValueError:  # as the 31st of June
        return


def _read(match: re.Match) -> Found:
    kind, text = next((name, match[name]) for name in _KINDS if match[name])
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    if kind == "numbers":
        return _two_ways(numbers, is_dotted="." in text)
    span = _SPANS[kind](match, text, numbers)
    return Found(span, span)


_CLOCK_PARTS = ("hour", "minute", "second", "ahead", "ahead_minutes")


def _iso(match: re.Match, text: str, _: list[int]) -> Span:
    """Read a day, and the time of day that follows it: `2026-11-01T0530`, or `…T0530+0100` in UTC."""
    digits = re.sub(r"\D", "", text)
    day = datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if not match["hour"]:
        return Span(day, day + timedelta(days=1))
    hour, minute, second, *ahead = (int(match[part] or 0) for part in _CLOCK_PARTS)
    start = day.replace(hour=hour, minute=minute, second=second)
    start -= timedelta(hours=ahead[0], minutes=ahead[1])
    return Span(start, start + timedelta(seconds=1 if match["second"] else 60))


def _week(_: re.Match, text: str, numbers: list[int]) -> Span:
    year, week = sorted(numbers, reverse=True)
    start = datetime.fromisocalendar(year, week, 1)
    return Span(start, start + timedelta(days=7))


def _quarter(_: re.Match, text: str, numbers: list[int]) -> Span:
    year, quarter = sorted(numbers, reverse=True)
    return _months(year, 3 * quarter - 2, 3)


def _month(_: re.Match, text: str, numbers: list[int]) -> Span:
    digits = re.sub(r"\D", "", text)
    year, month = (digits[:4], digits[4:]) if text[:2] == "20" else (digits[2:], digits[:2])
    return _months(int(year), int(month), 1)


def _worded(_: re.Match, text: str, numbers: list[int]) -> Span:
    """Read a day or a month that is named by a word: `Oct-31-2026`, `1. November 2026`."""
    word = re.search("|".join(_MONTH_NUMBERS), text.lower())
    month = _MONTH_NUMBERS[word[0]] if word else 0
    year, *day = sorted(numbers, reverse=True)
    return _days(year, month, day[0]) if day else _months(year, month, 1)


_SPANS: dict[str, Callable[[re.Match, str, list[int]], Span]] = {
    "iso": _iso,
    "short": lambda match, text, numbers: _days(*numbers),
    "week": _week,
    "quarter": _quarter,
    "words": _worded,
    "day_words": _worded,
    "year_words": _worded,
    "month_words": _worded,
    "year_month": _worded,
    "month": _month,
}
_KINDS = (*_SPANS, "numbers")


def _two_ways(numbers: list[int], is_dotted: bool) -> Found:
    """Return `31-10-2026` or `10-31-2026` as what it must be, and `01-11-2026` as both.

    With dots the day comes first, as in 01.11.2026.
    """
    first, second, year = numbers
    if is_dotted or first > 12 or first == second:
        span = _days(year, second, first)
        return Found(span, span, "day_first" if first > 12 and not is_dotted else "")
    if second > 12:
        span = _days(year, first, second)
        return Found(span, span, "month_first")
    return Found(_days(year, second, first), _days(year, first, second))


def _days(year: int, month: int, day: int) -> Span:
    start = datetime(year, month, day)
    return Span(start, start + timedelta(days=1))


def _months(year: int, month: int, count: int) -> Span:
    years, last = divmod(month - 1 + count, 12)
    return Span(datetime(year, month, 1), datetime(year + years, last + 1, 1))


def _epoch(match: re.Match) -> Iterator[Found]:
    """Yield the moment of an epoch in seconds, or in thousandths, millionths … of one."""
    digits = match[0]
    start = datetime(1970, 1, 1) + timedelta(seconds=int(digits[:10]))
    fraction = timedelta(microseconds=int(digits[10:16].ljust(6, "0")))
    exact = timedelta(seconds=1) if len(digits) == 10 else timedelta(microseconds=1)
    span = Span(start + fraction, start + fraction + exact)
    yield Found(span, span)
