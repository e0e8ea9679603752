"""Say what was noted of loads whose rows hold still: sums in another unit, times that come twice."""

import re
from datetime import datetime, timedelta, timezone

import duckdb

from pipelines.ingest.remedies import to_paste
from pipelines.ingest.source_log import SourceLog
from pipelines.sources.batches import Remedy

DAYS_SAID = 30  # after the load; what holds so long is usual


def standing(log: SourceLog, table: str, is_asked: bool) -> list[str]:
    """Return the notes on a table's batches whose rows are still the newest of their keys.

    Where an API is asked, no setting says in which unit it answers.
    """
    since = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=DAYS_SAID)
    notes = [each for each in log.loaded(table).odd if log.loads[each[1]] > since]
    held = _held(log, table, {load for _, load, _ in notes}) if notes and log.has(table) else set()
    return [
        f"{batch}: {_ASKED.sub('', note) if is_asked else _with_remedy(log, table, note)}"
        for batch, load, note in sorted(notes)
        if (batch, load) in held
    ]


# In a note: which unit it may be; behind it, a version before this one wrote the setting.
_ASKED = re.compile(r"; is it in (micros|cents)\?( `[^`]*`)?")


def _with_remedy(log: SourceLog, table: str, note: str) -> str:
    """Return a note with the line that says its unit, where it may be one."""
    remedies = []
    for part in re.split(r"; (?!is it in)", note):
        if found := _ASKED.search(part):
            measure = re.match(r"(\w+) is ", part)
            unit = f"{measure[1] if measure else 'cost'}: {found[1]}"
            remedies.append(Remedy(unit, below="unit"))
    if not remedies:
        return note
    said = re.sub(r"(is it in \w+\?) `[^`]*`", r"\1", note)
    line = to_paste(log.client, remedies, log.source, table)
    return f"{said} If it is, as all files of this export are, {line}; else deliver it as before"


def _held(log: SourceLog, table: str, loads: set[str]) -> set[tuple[str, str]]:
    """Return the batches of some loads, each with its load, that brought a row which holds now."""
    rows = log.rows(table)
    with duckdb.connect() as connection:
        return set(
            connection.execute(
                f"""SELECT DISTINCT export_file, load_id FROM (
                  FROM {rows} AS log
                  WHERE row_key IN (SELECT row_key FROM {rows} AS noted WHERE load_id IN (SELECT UNNEST(?)))
                  QUALIFY ROW_NUMBER() OVER (
                    PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC
                  ) = 1
                ) WHERE NOT is_deleted""",
                [sorted(loads)],
            ).fetchall()
        )
