"""Order deliveries by their own time: the one in their names, numbers there, or the file time.

Names as such decide nothing: `Oct-31` is after `Nov-1` by the alphabet, and `(10)` before `(2)`.
Where the order cannot be told safely, that is said, and ingest asks where it matters.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from pipelines.settings.exports import DeliveryOrder, Order
from pipelines.sources.files.name_times import Found, Span, time_in

SECOND = 1_000_000_000  # file times are in nanoseconds
_TOGETHER = 2 * SECOND  # what was written within it was unpacked or copied in one go
_CLEARLY = 60 * SECOND  # a file time contradicts the numbers in names by more than that


class Delivery(NamedTuple):
    """A file or an object: its name in the lake, when it was written, and what its column tells."""

    name: str
    file_time: int | None = None
    column: Any = None


class OrderError(Exception):
    """The order of deliveries cannot be told by what the client's file says; the text says why."""


class Group(NamedTuple):
    """Deliveries of one time; several if it cannot be told which of them is newer, and why."""

    names: list[str]
    why: str = ""
    setting: str = "ordered_by: name"
    meaning: str = "the last in the order of names is the newest"


def in_order(
    deliveries: Sequence[Delivery],
    ordered_by: Order | None,
    folder: str = "",
    others: Iterable[str] = (),
) -> list[Group]:
    """Return the deliveries, oldest first. `folder` is where their glob begins: it tells nothing.

    `others` are names that may prove how times are written. Raise OrderError if the setting does
    not fit them.
    """
    if len(deliveries) < 2:
        return [Group([each.name]) for each in deliveries]
    told = {each.name: each.name.removeprefix(folder) for each in deliveries}
    if isinstance(ordered_by, DeliveryOrder) and ordered_by.column:
        return _sorted(deliveries, lambda each: each.column, "{} have the same time in that column")
    if isinstance(ordered_by, DeliveryOrder):
        form = ordered_by.pattern or ""
        return _sorted(deliveries, lambda each: _formatted(told[each.name], form), _SAME_TIME)
    if ordered_by == "file time":
        return _by_file_time(deliveries)
    proved = {time.decides for name in others if (time := time_in(name.removeprefix(folder)))}
    return _by_name(deliveries, told, proved, trusts_numbers=ordered_by == "name")


_SAME_TIME = "{} have the same time in their names"


def _by_name(
    deliveries: Sequence[Delivery], told: dict[str, str], proved: set[str], trusts_numbers: bool
) -> list[Group]:
    """Order by the times in names; those of one time by the numbers there, then by file time."""
    times = {each.name: time_in(told[each.name]) for each in deliveries}
    without = [name for name, time in times.items() if not time]
    if without and len(without) < len(times):
        return _mixed(deliveries, {name: time for name, time in times.items() if time}, proved)
    if without:
        return _by_numbers(deliveries, told, trusts_numbers)
    spans, unsure = _spans({name: time for name, time in times.items() if time}, proved)
    if unsure:
        return [_in_two_ways([each.name for each in deliveries], unsure)]
    groups = _overlapping(deliveries, spans)
    return [
        finer
        for group in groups
        for finer in (
            _by_numbers(group, told, trusts_numbers)
            if len({spans[each.name] for each in group}) == 1
            else _by_file_time(group)
        )
    ]


def _spans(times: dict[str, Found], proved: set[str]) -> tuple[dict[str, Span], str]:
    """Return each name's time, or a name that has two: `01-11-2026` is read as the others prove."""
    proved = (proved | {time.decides for time in times.values()}) - {""}
    readings = {
        reading: {name: getattr(time, reading) for name, time in times.items()}
        for reading in ("day_first", "month_first")
    }
    by_day, by_month = readings.values()
    if len(proved) == 1:
        return readings[proved.pop()], ""
    if not proved and sorted(by_day, key=by_day.__getitem__) == sorted(
        by_month, key=by_month.__getitem__
    ):
        return by_day, ""
    if all(time.day_first == time.month_first for time in times.values()):
        return by_day, ""
    return {}, next(name for name, time in times.items() if time.day_first != time.month_first)


def _in_two_ways(names: list[str], unsure: str) -> Group:
    """Return deliveries of which one's name may begin with the day or with the month."""
    why = f"{_short(unsure)} may name the day or the month first"
    mark = re.search(r"\d([-_./ ])\d\d?\1\d{4}", unsure)
    form = f"%d{mark[1]}%m{mark[1]}%Y" if mark else "%d-%m-%Y"
    return Group(names, why, f"ordered_by: {{pattern: '{form}'}}", "the day is first")


def _overlapping(
    deliveries: Sequence[Delivery], spans: dict[str, Span]
) -> list[Sequence[Delivery]]:
    """Return the deliveries by their spans, oldest first; together where spans overlap."""
    groups: list[list[Delivery]] = []
    until = datetime.min
    for each in sorted(deliveries, key=lambda each: spans[each.name]):
        if groups and spans[each.name].start < until:
            groups[-1].append(each)
        else:
            groups.append([each])
        until = max(until, spans[each.name].end)
    return list(groups)


def _mixed(
    deliveries: Sequence[Delivery], times: dict[str, Found], proved: set[str]
) -> list[Group]:
    """Order by file time where only some names tell a time, if it agrees with those that do."""
    groups = _by_file_time(deliveries)
    spans, unsure = _spans(times, proved)
    ranks = {name: rank for rank, group in enumerate(groups) for name in group.names}
    named = sorted(spans, key=spans.__getitem__)
    if unsure or any(
        ranks[older] > ranks[newer] and spans[older] != spans[newer]
        for older, newer in pairwise(named)
    ):
        untold = next(each.name for each in deliveries if each.name not in times)
        why = f"{_short(untold)} has no time in its name, and file times contradict the other names"
        meaning = "the file written last is the newest"
        return [Group([each.name for each in deliveries], why, "ordered_by: file time", meaning)]
    return groups


def _by_numbers(
    deliveries: Sequence[Delivery], told: dict[str, str], trusts_numbers: bool
) -> list[Group]:
    """Order names that differ in a number, as (2) before (10); by file time if they do not."""
    if len(deliveries) < 2:
        return [Group([each.name for each in deliveries])]
    texts = {each.name: _numbered(told[each.name]) for each in deliveries}
    if trusts_numbers:
        return _sorted(deliveries, lambda each: _natural(texts[each.name]), "{} have one name")
    if len({re.sub(r"\d+", "#", text) for text in texts.values()}) > 1:
        return _by_file_time(deliveries)
    numbers = {name: [int(part) for part in re.findall(r"\d+", t)] for name, t in texts.items()}
    ordered = sorted(deliveries, key=lambda each: numbers[each.name])
    if any(
        before > after
        for older, newer in pairwise(ordered)
        for before, after in zip(numbers[older.name], numbers[newer.name])
    ):
        return _by_file_time(deliveries)
    newest = 0
    for each in ordered:
        if each.file_time is not None and each.file_time < newest - _CLEARLY:
            why = "the numbers in their names and the times at which they were written contradict"
            return [Group([each.name for each in ordered], why)]
        newest = max(newest, each.file_time or 0)
    return _sorted(ordered, lambda each: numbers[each.name], "{} have the same numbers")


def _numbered(name: str) -> str:
    """Return a name with the number that browsers leave out: `report.csv` is before `report (1).csv`."""
    return name if re.search(r"\(\d+\)", name) else re.sub(r"((\.\w+)*)$", r" (0)\1", name, count=1)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts a name with its numbers as numbers."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def _by_file_time(deliveries: Sequence[Delivery]) -> list[Group]:
    """Order by the time of the last change; what was written in one go has one time."""
    if any(each.file_time is None for each in deliveries):
        why = "their names tell no time, and of one it is not known when it was written"
        return [Group([each.name for each in deliveries], why)]
    groups: list[list[str]] = []
    before = None
    for each in sorted(deliveries, key=lambda each: (each.file_time or 0, each.name)):
        if before is not None and (each.file_time or 0) - before < _TOGETHER:
            groups[-1].append(each.name)
        else:
            groups.append([each.name])
        before = each.file_time or 0
    why = "their names tell no time, and they were written in the same moment"
    return [Group(names, why if len(names) > 1 else "") for names in groups]


def _sorted(
    deliveries: Sequence[Delivery], key: Callable[[Delivery], Any], why: str
) -> list[Group]:
    """Order by a key; deliveries of one key are together."""
    groups: dict[Any, list[str]] = {}
    for each in sorted(deliveries, key=key):
        value = key(each)
        groups.setdefault(tuple(value) if isinstance(value, list) else value, []).append(each.name)
    return [
        Group(names, why.format(_both(names)) if len(names) > 1 else "")
        for names in groups.values()
    ]


def _formatted(name: str, form: str) -> datetime:
    """Return the last time in a name that has the form. Raise OrderError if none has."""
    parts = re.split(r"(%[a-zA-Z%])", form)
    pattern = "".join(_DIRECTIVES.get(part) or re.escape(part) for part in parts)
    found = re.findall(rf"(?<!\d){pattern}(?!\d)", name, re.IGNORECASE)
    for text in reversed(found):
        with suppress(ValueError):
            return datetime.strptime(text, form)
    raise OrderError(f"{_short(name)} has no time like {form} in its name; correct `ordered_by:`")


_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%H": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%j": r"\d{3}",
    "%b": "[a-z]{3}",
    "%B": "[a-z]{3,9}",
    "%%": "%",
}


def _both(names: Sequence[str]) -> str:
    return " and ".join(_short(name) for name in names[:2])


def _short(name: str) -> str:
    return name.rpartition("/")[2]
