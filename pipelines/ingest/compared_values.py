"""Judge the values that an export's `where:` compares: one that cannot be read leaves out no row.

`Amount > 100` says nothing of a row whose amount is `1.250,00` or `n/a`. Such a row is bad, by name,
and goes to quarantine, or its file is refused with the setting that reads it.
"""

from collections.abc import Mapping

from pipelines.ingest.row_faults import Fault, quoted
from pipelines.settings.conditions import Condition, Value, read_condition
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.numbers import ANY, EITHER, fits, setting
from pipelines.sql import literal

OF_WHERE = " of `where:`"  # behind the name of a column, where it is no column of ours

_IS_NO = {
    "number": "is no number",
    "time": "is no time",
    "flag": "is neither true nor false",
}
_ADVICE = {
    "number": "`where:` compares numbers that are written as {numbers}",
    "time": "`where:` compares times that are written as 2026-11-03 14:30:00, or as a day alone",
    "flag": "`where:` takes true or false, t or f, yes or no, y or n, 1 or 0 for a flag",
}


def columns(where: Condition) -> str:
    """Return SQL for what is to be kept of each row beside its own columns, a comma before it.

    Whether it `counts`, by what is known or may come out; each value that is compared, and whether
    it is to be readable and is not; whether the row would count if numbers were written otherwise.
    """
    unreadable = [f"COALESCE({value.unreadable}, FALSE)" for value in where.values]
    kept = [f"({' OR '.join([where.counts, *unreadable])}) AS counts"]
    for place, (value, is_unread) in enumerate(zip(where.values, unreadable)):
        kept += [f"{value.text} AS {_compared(place)}", f"{is_unread} AS {_unread(place)}"]
    differs = f"({where.otherwise}) <> ({where.counts})" if where.otherwise else "FALSE"
    return f", {', '.join([*kept, f'{differs} AS differs'])}"


def names(where: Condition) -> list[str]:
    """Return the names of what is kept beside a row's own columns."""
    places = range(len(where.values))
    return ["counts", "differs", *map(_compared, places), *map(_unread, places)]


def faults(where: str | None, numbers: Numbers | None) -> list[Fault]:
    """Return what can be wrong with the values that a condition compares."""
    return [
        _fault(place, value, numbers)
        for place, value in enumerate(read_condition(where) if where else [])
    ]


def numbers_in(where: Condition | None, rows: str) -> Mapping[str, str]:
    """Return, by what they are called, relations of the numbers that a condition compares."""
    return {
        f"{value.name}{OF_WHERE}": f"(SELECT ordinal, {_compared(place)} AS number, differs FROM {rows})"
        for place, value in enumerate(where.values if where else [])
        if value.kind == "number"
    }


def in_two_ways(relation: str) -> str:
    """Return a query for a number that may be read in two ways, of a row that counts by one alone."""
    return f"FROM {relation} WHERE differs AND REGEXP_FULL_MATCH(number, {literal(EITHER)}) LIMIT 1"


def _fault(place: int, value: Value, numbers: Numbers | None) -> Fault:
    is_bad = _unread(place)
    if numbers and value.kind == "number":
        is_bad += f" AND NOT {fits(_compared(place), ANY, numbers)}"
    said, is_no = f"`where:` compares {value.name}, and '", f"' {_IS_NO[value.kind]}"
    written = f"`{setting(numbers)}` says" if numbers else "1234.56"
    advice = _ADVICE[value.kind].format(numbers=written)
    return Fault(
        is_bad,
        f"CONCAT({literal(said)}, {quoted(_compared(place))}, {literal(is_no)})",
        f"{advice}; name other texts before that, as in {value.name} <> 'none' AND …",
        value.kind == "number",
    )


def _compared(place: int) -> str:
    return f"compared_{place}"


def _unread(place: int) -> str:
    return f"is_unread_{place}"
