"""Judge the values that SQL of a client's file reads: one that cannot be read decides nothing.

`where: Amount > 100` says nothing of a row whose amount is `n/a`, and `revenue: Amount - Fee` has no
revenue for it. Such a row is bad, by name, and goes to quarantine, or its file is refused with the
setting that reads it.
"""

from collections.abc import Mapping, Sequence

from pipelines.ingest.row_faults import Fault, quoted
from pipelines.settings.conditions import Value
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Rows
from pipelines.sources.dressed_numbers import contradicts
from pipelines.sources.numbers import ANY, EITHER, fits, setting
from pipelines.sql import literal

# Behind the name of a column, where it is no column of ours.
OF_WHERE, OF_COLUMNS = " of `where:`", " of SQL under `columns:`"

_IS_NO = {
    "number": "is no number",
    "time": "is no time",
    "flag": "is neither true nor false",
}
_ADVICE = {
    "number": "{by} reads numbers that are written as {numbers}",
    "time": "{by} reads times that are written as 2026-11-03 14:30:00, as a day alone, as 3.11.2026 14:30,"
    " Nov 3, 2026, or as `date_format:` says",
    "flag": "{by} takes true or false, t or f, yes or no, y or n, 1 or 0 for a flag",
}


def columns(rows: Rows) -> str:
    """Return SQL for what is to be kept of each row beside its own columns, a comma before it.

    Whether it `counts`, by what is known or may come out; each value that SQL reads, and whether
    it is to be readable and is not; whether the row would count if numbers were written otherwise, and
    whether it is another table's.
    """
    kept = []
    if where := rows.where:
        unreadable = [f"COALESCE({value.unreadable}, FALSE)" for value in where.values]
        differs = f"({where.otherwise}) <> ({where.counts})" if where.otherwise else "FALSE"
        kept = [f"({' OR '.join([where.counts, *unreadable])}) AS counts", f"{differs} AS differs"]
    if rows.apart:
        kept.append(f"{rows.apart} AS is_apart")
    for place, value in enumerate(values_read(rows)):
        is_unread = f"COALESCE({value.unreadable}, FALSE)"
        kept += [f"{value.text} AS {_compared(place)}", f"{is_unread} AS {_unread(place)}"]
    return f", {', '.join(kept)}" if kept else ""


def names(rows: Rows) -> list[str]:
    """Return the names of what is kept beside a row's own columns."""
    places = range(len(values_read(rows)))
    judged = ["counts", "differs"] * bool(rows.where) + ["is_apart"] * bool(rows.apart)
    return [*judged, *map(_compared, places), *map(_unread, places)]


def values_read(rows: Rows) -> list[Value]:
    """Return what SQL of a client's file reads of rows: `where:`, then what columns are made of."""
    return [*(rows.where.values if rows.where else []), *rows.made]


def faults(values: Sequence[Value], numbers: Numbers | None, currency: str) -> list[Fault]:
    """Return what can be wrong with the values that SQL reads, in a row whose money is in a currency."""
    found = [_fault(place, value, numbers) for place, value in enumerate(values)]
    return found + [
        _in_another_currency(place, value, currency)
        for place, value in enumerate(values)
        if value.kind == "number"
    ]


def _in_another_currency(place: int, value: Value, currency: str) -> Fault:
    """Return the fault of an amount with the mark of a currency that is not its row's."""
    said, is_other = literal(f"{value.name} '"), literal("' is in another currency")
    return Fault(
        contradicts(_compared(place), currency),
        f"CONCAT({said}, {quoted(_compared(place))}, {is_other})",
        "an amount in another currency than its row's is reckoned and compared with nothing",
    )


def spared(found: list[Fault], values: Sequence[Value]) -> list[Fault]:
    """Return faults of rows, where a column is not missing too if what it is made of cannot be read."""
    unread: dict[str, str] = {}
    for place, value in enumerate(values):
        if value.of:
            unread[value.of] = f"{unread.get(value.of, 'FALSE')} OR {_unread(place)}"
    return [
        fault._replace(condition=f"{fault.condition} AND NOT ({unread[fault.missing]})")
        if fault.missing in unread
        else fault
        for fault in found
    ]


def numbers_in(values: Sequence[Value], rows: str) -> Mapping[str, str]:
    """Return, by what they are called, relations of the numbers that SQL reads."""
    return {
        f"{value.name}{OF_COLUMNS if value.of else OF_WHERE}": f"(SELECT ordinal, {_compared(place)} AS number,"
        f" {'TRUE' if value.of else 'differs'} AS differs FROM {rows})"
        for place, value in enumerate(values)
        if value.kind == "number"
    }


def name_of(called: str) -> str:
    """Return the export's name of a number that SQL reads, by what it is called."""
    return called.removesuffix(OF_WHERE).removesuffix(OF_COLUMNS)


def in_two_ways(relation: str) -> str:
    """Return a query for a number that may be read in two ways, of a row that counts by one alone."""
    return f"FROM {relation} WHERE differs AND REGEXP_FULL_MATCH(number, {literal(EITHER)}) LIMIT 1"


def _fault(place: int, value: Value, numbers: Numbers | None) -> Fault:
    is_bad = _unread(place)
    if value.kind == "nothing":
        said = f"{value.of} comes to nothing, as a number that {value.name} reckons with is empty"
        advice = "where an empty one is 0, write so, as in COALESCE(…, 0)"
        return Fault(is_bad, literal(said), advice)
    if numbers and value.kind == "number":
        is_bad += f" AND NOT {fits(_compared(place), ANY, numbers)}"
    by = f"{value.of} is made of" if value.of else "`where:` compares"
    said, is_no = f"{by} {value.name}, and '", f"' {_IS_NO[value.kind]}"
    written = f"`{setting(numbers)}` says" if numbers else "1234.56"
    advice = _ADVICE[value.kind].format(by="SQL" if value.of else "`where:`", numbers=written)
    before = f"; name other texts before that, as in {value.name} <> 'none' AND …"
    return Fault(
        is_bad,
        f"CONCAT({literal(said)}, {quoted(_compared(place))}, {literal(is_no)})",
        advice + before * (not value.of),
        value.kind == "number",
    )


def _compared(place: int) -> str:
    return f"compared_{place}"


def _unread(place: int) -> str:
    return f"is_unread_{place}"
