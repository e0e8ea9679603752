"""Tell numbers in names that may be times, and then come in another order than by size.

`011126` may be the 1st of November and `311026` the day before; week 52 comes before week 1 of the
next year, where the names say no year.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

_FORMS = {4: ("%d%m", "%m%d"), 6: ("%d%m%y", "%m%d%y", "%y%m%d"), 8: ("%d%m%Y", "%m%d%Y")}
_CLOCK = {10: 6, 12: 6, 14: 8}  # digits with hours, and how many of them are the day's
_ROUNDS = (
    (52, r"(?:week|woche|kw|cw|wk|w)"),
    (12, r"(?:month|monat)"),
    (4, r"(?:quarter|quartal|q)"),
)
_HALF_A_YEAR = 183  # days; December and January without a year may be a month apart
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")


def other_form(texts: Sequence[str]) -> str:
    """Return how the numbers of names, by their size, may be days in another order; else nothing."""
    for numbers in zip(*(re.findall(r"\d+", text) for text in texts)):
        lengths = {len(number) for number in numbers}
        if len(lengths) > 1 or len(set(numbers)) < 2:
            continue
        size = lengths.pop()
        size = _CLOCK.get(size, size)
        for form, days in _readings([number[:size] for number in numbers], size):
            may_be_new_year = form == "%m%d" and (max(days) - min(days)).days > _HALF_A_YEAR
            if days != sorted(days) or may_be_new_year:
                return form
    return ""


def goes_round(texts: Sequence[str]) -> str:
    """Return which word's numbers may begin again within the names, as week 52 and week 1."""
    if any(_YEAR.search(text) for text in texts):
        return ""
    for length, word in _ROUNDS:
        found = [
            re.search(rf"(?<![a-z]){word}[-_ .]?(\d\d?)(?!\d)", text.lower()) for text in texts
        ]
        counts = sorted({int(each[1]) for each in found if each})
        if not all(found) or len(counts) < 2:
            continue
        widest = max(after - before for before, after in pairwise(counts))
        if counts[0] + length - counts[-1] <= widest:
            return found[0][0] if found[0] else word
    return ""


def _readings(numbers: list[str], size: int) -> Iterator[tuple[str, list[datetime]]]:
    """Yield each way in which all numbers are days of about now, with the days."""
    for form in _FORMS.get(size, ()):
        leap = "" if size > 4 else "2024"
        try:
            days = [
                datetime.strptime(number + leap, form + "%Y" * bool(leap)) for number in numbers
            ]
        except ValueError:
            continue
        if leap or all(2015 <= day.year <= 2040 for day in days):
            yield form, days
