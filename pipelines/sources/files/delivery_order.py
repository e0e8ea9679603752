"""Order deliveries by their own time: the one in their names, numbers there, or the file time.

Names as such decide nothing: `Oct-31` is after `Nov-1` by the alphabet, and `(10)` before `(2)`.
Where the order cannot be told safely, that is said, and ingest asks where it matters.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from pipelines.settings.ordered_by import DeliveryOrder, Order
from pipelines.sources.batches import Remedy
from pipelines.sources.files.delivery_groups import (
    Delivery,
    Group,
    by_file_time,
    by_file_times,
    short,
    sorted_by,
)
from pipelines.sources.files.name_numbers import by_numbers
from pipelines.sources.files.name_patterns import OrderError, time_by_pattern
from pipelines.sources.files.name_times import Found, Span, time_in


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
        if len({type(each.column) for each in deliveries}) > 1:
            raise OrderError(_TWO_FORMS.format(ordered_by.column))
        return sorted_by(
            deliveries, lambda each: each.column, "{} have the same time in that column"
        )
    if isinstance(ordered_by, DeliveryOrder):
        form = ordered_by.pattern or ""
        return sorted_by(
            deliveries, lambda each: time_by_pattern(told[each.name], form), _SAME_TIME
        )
    if ordered_by == "file time":
        return by_file_time(deliveries)
    proved = {time.decides for name in others if (time := time_in(name.removeprefix(folder)))}
    return _by_name(deliveries, told, proved, trusts_numbers=ordered_by == "name")


_TWO_FORMS = "the column {} holds times in some deliveries and numbers in others"
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
        return by_numbers(deliveries, told, trusts_numbers)
    spans, unsure = _spans({name: time for name, time in times.items() if time}, proved)
    if unsure:
        return [_in_two_ways([each.name for each in deliveries], unsure)]
    groups = _overlapping(deliveries, spans)
    return [
        finer
        for group in groups
        for finer in (
            by_numbers(group, told, trusts_numbers)
            if len({spans[each.name] for each in group}) == 1
            else by_file_time(group)
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
    why = f"{short(unsure)} may name the day or the month first"
    mark = re.search(r"\d([-_./ ])\d\d?\1\d{4}", unsure)
    sign = mark[1] if mark else "-"
    day_first, month_first = f"%d{sign}%m{sign}%Y", f"%m{sign}%d{sign}%Y"
    remedies = (
        Remedy(f"ordered_by: {{pattern: '{day_first}'}}", meaning="the day is first"),
        Remedy(f"ordered_by: {{pattern: '{month_first}'}}", meaning="the month is first"),
    )
    return Group(names, why, remedies)


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
    groups = by_file_time(deliveries)
    spans, unsure = _spans(times, proved)
    ranks = {name: rank for rank, group in enumerate(groups) for name in group.names}
    named = sorted(spans, key=spans.__getitem__)
    if unsure or any(
        ranks[older] > ranks[newer] and spans[older] != spans[newer]
        for older, newer in pairwise(named)
    ):
        untold = next(each.name for each in deliveries if each.name not in times)
        why = f"{short(untold)} has no time in its name, and file times contradict the other names"
        return [Group([each.name for each in deliveries], why, (by_file_times(),))]
    return groups
