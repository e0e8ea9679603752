"""Order deliveries by the numbers in their names: `(2)` is before `(10)`."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pipelines.sources.batches import Remedy
from pipelines.sources.files.delivery_groups import (
    SECOND,
    Delivery,
    Group,
    by_file_time,
    by_file_times,
    by_names,
    short,
    sorted_by,
)
from pipelines.sources.files.number_times import goes_round, other_form

_CLEARLY = 60 * SECOND  # a file time contradicts the numbers in names by more than that


def by_numbers(
    deliveries: Sequence[Delivery], told: dict[str, str], trusts_numbers: bool
) -> list[Group]:
    """Order names that differ in a number, as (2) before (10); by file time if they do not."""
    if len(deliveries) < 2:
        return [Group([each.name for each in deliveries])]
    texts = {each.name: _numbered(told[each.name]) for each in deliveries}
    if trusts_numbers:
        return sorted_by(deliveries, lambda each: _natural(texts[each.name]), "{} have one name")
    if len({re.sub(r"\d+", "#", text) for text in texts.values()}) > 1:
        return by_file_time(deliveries)
    numbers = {name: [int(part) for part in re.findall(r"\d+", t)] for name, t in texts.items()}
    ordered = sorted(deliveries, key=lambda each: numbers[each.name])
    if any(
        before > after
        for older, newer in pairwise(ordered)
        for before, after in zip(numbers[older.name], numbers[newer.name])
    ):
        return by_file_time(deliveries)
    newest = 0
    for each in ordered:
        if each.file_time is not None and each.file_time < newest - _CLEARLY:
            why = "the numbers in their names and the times at which they were written contradict"
            orders = (by_file_times(), by_names())
            return [Group([each.name for each in ordered], why, orders)]
        newest = max(newest, each.file_time or 0)
    in_time = [group.names for group in by_file_time(ordered)]
    is_proved = in_time == [[each.name] for each in ordered]
    if not is_proved and (unsure := _unsure([each.name for each in ordered], texts)):
        return [unsure]
    return sorted_by(ordered, lambda each: numbers[each.name], "{} have the same numbers")


def _unsure(names: list[str], texts: dict[str, str]) -> Group | None:
    """Return names whose numbers may be times that are not in the order of the numbers."""
    told = [texts[name] for name in names]
    if word := goes_round(told):
        return Group(names, f"{word} may be of the next year: the names do not say their year")
    if not (form := other_form(told)):
        return None
    why = f"{short(names[0])} may name a day, as {form}, and not count"
    if "%y" not in form.lower():
        return Group(names, f"{why}; the names do not say their year")
    meaning = "they are days, written so"
    return Group(names, why, (Remedy(f"ordered_by: {{pattern: '{form}'}}", meaning=meaning),))


def _numbered(name: str) -> str:
    """Return a name with the number that browsers leave out: `report.csv` is before `report (1).csv`."""
    return name if re.search(r"\(\d+\)", name) else re.sub(r"((\.\w+)*)$", r" (0)\1", name, count=1)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts a name with its numbers as numbers."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]
