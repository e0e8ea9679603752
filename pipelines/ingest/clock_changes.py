"""Name the times that a zone has twice or never: those of the nights in which its clocks are changed.

A time without an offset is read in the client's zone, or in that of its column, by a rule that DuckDB
and its calendar share:

- One that comes twice, as 2026-10-25 02:30 in Berlin, is the later one, after clocks went back: 01:30 UTC.
- One that never comes, as 2026-03-29 02:30 there, is read by the clock from before the change, 01:30 UTC;
  that clock shows 03:30 by then.

Nothing in an export tells whether that is what was meant, so the rows are counted and told.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.contracts.contract import Contract
from pipelines.settings.client import Client
from pipelines.sql import literal

# Seconds of UTC: 1970 until 2100, as times are read, see `row_faults`.
_FIRST, _LAST, _DAY = 0, 4_102_444_800, 86_400
_SECOND = timedelta(seconds=1)


class ClockChange(NamedTuple):
    """The local times that a change of clocks lets come twice, if `is_twice`, or else never."""

    begins: datetime
    ends: datetime
    is_twice: bool


@cache
def clock_changes(zone: str) -> tuple[ClockChange, ...]:
    """Return the changes of a zone's clocks, the oldest first: of its offset, whatever the reason.

    In Apia the whole of 2011-12-30 never came, and in São Paulo clocks went forward at midnight.
    """
    clocks, found = ZoneInfo(zone), list[ClockChange]()
    before = _offset(clocks, _FIRST)
    for day in range(_FIRST, _LAST, _DAY):
        after = _offset(clocks, day + _DAY)
        if before != after:
            at = datetime.fromtimestamp(_changed_at(clocks, day, before), timezone.utc)
            begins, ends = sorted(at.replace(tzinfo=None) + each for each in (before, after))
            found.append(ClockChange(begins, ends, is_twice=after < before))
            before = after
    return tuple(found)


def ambiguous_times(
    contract: Contract, client: Client, zones: Mapping[str, str], local_times: Iterable[Path]
) -> str:
    """Return SQL for a note on each batch with new times that their zone has twice or never: `export_file`, `note`.

    What is new is in `delivered`, less the rows that are `unchanged`. Columns of another zone than the
    client's, in `zones`, are as they were written in `local_times`: see `Validated`.
    """
    times = [name for name, column in contract.columns.items() if column.type == "timestamp"]
    found = [_ambiguous(client.timezone, {name: name for name in times if name not in zones}, _NEW)]
    if files := ", ".join(literal(str(file)) for file in local_times):
        local = f"(FROM read_parquet([{files}]) SEMI JOIN {_NEW} USING (ordinal))"
        for zone in {*zones.values()}:
            columns = {name: f"local_{name}" for name, each in zones.items() if each == zone}
            found += [] if zone[0] in "+-" else [_ambiguous(zone, columns, local)]
    nothing = "SELECT '' AS export_file, '' AS note WHERE FALSE"
    return " UNION ALL ".join(filter(None, found)) or nothing


_NEW = "(FROM delivered ANTI JOIN unchanged USING (ordinal) WHERE reason IS NULL)"


def _ambiguous(zone: str, columns: Mapping[str, str], rows: str) -> str:
    """Return SQL for the notes on columns of one zone, by their names in the rows; '' if there can be none.

    A day without an hour is beyond doubt, unless the whole day never came.
    """
    if not columns or not (changes := clock_changes(zone)):
        return ""
    times = " UNION ALL ".join(
        f"SELECT export_file, '{name}' AS name, {value} AS written FROM {rows}"
        for name, value in columns.items()
    )
    return f"""(
      WITH times AS (
        SELECT *, TRY_CAST(written AS TIMESTAMP) AS moment FROM ({times})
      ), counted AS (
        SELECT export_file, name, is_twice, COUNT(*) AS count, COUNT(DISTINCT begins) AS nights,
        ARG_MAX(night, begins) AS night
        FROM times JOIN (VALUES {_by_day(changes)}) AS changes(day, begins, ends, is_twice, night)
        ON moment::DATE = day AND moment >= begins AND moment < ends
        AND NOT REGEXP_MATCHES(SUBSTR(written, 11), '[Z+C-]')
        AND (CONTAINS(written, ':') OR NOT is_twice AND moment + INTERVAL 1 DAY <= ends)
        GROUP BY export_file, name, is_twice
      )
      SELECT export_file, {_note(zone)} AS note FROM counted
    )"""


def _offset(clocks: ZoneInfo, moment: int) -> timedelta:
    """Return how far a zone's clocks are ahead of UTC at a moment, in seconds of UTC."""
    return datetime.fromtimestamp(moment, clocks).utcoffset() or timedelta()


def _changed_at(clocks: ZoneInfo, day: int, before: timedelta) -> int:
    """Return the second, UTC, in which a zone's offset changes, within the day after a moment."""
    last, changed = day, day + _DAY
    while changed - last > 1:
        middle = (last + changed) // 2
        is_before = _offset(clocks, middle) == before
        last, changed = (middle, changed) if is_before else (last, middle)
    return changed


def _by_day(changes: tuple[ClockChange, ...]) -> str:
    """Return SQL for the changes with the day of each, so that few times are compared: two at midnight."""
    rows = []
    for begins, ends, is_twice in changes:
        until = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%Y-%m-%d %H:%M}"
        night = literal(f"{begins:%Y-%m-%d %H:%M} to {until}")
        for day in sorted({begins.date(), (ends - _SECOND).date()}):
            interval = f"TIMESTAMP '{begins}', TIMESTAMP '{ends}'"
            rows.append(f"(DATE '{day}', {interval}, {is_twice}, {night})")
    return ", ".join(rows)


def _note(zone: str) -> str:
    """Return SQL for what is said of the times that were counted."""
    return f"""CONCAT(
      count, IF(count = 1, ' row has a ', ' rows have a '), name, {literal(f" that {zone} ")},
      IF(is_twice, 'has twice', 'does not have'), ' (', night,
      IF(nights > 1, CONCAT(' and ', nights - 1, IF(nights = 2, ' night', ' nights'), ' before'), ''), '): ',
      IF(is_twice, 'read as the later one', 'read by the clock from before the change'),
      '; export times in UTC or with an offset to have them exact')"""
