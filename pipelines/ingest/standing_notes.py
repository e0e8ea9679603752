"""Say what was noted of loads whose rows hold still: sums in another unit, times that come twice."""

from datetime import datetime, timedelta, timezone

import duckdb

from pipelines.ingest.source_log import SourceLog

DAYS_SAID = 30  # after the load; what holds so long is usual


def standing(log: SourceLog, table: str) -> list[str]:
    """Return the notes on a table's batches whose rows are still the newest of their keys."""
    since = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(days=DAYS_SAID)
    notes = [each for each in log.loaded(table).odd if log.loads[each[1]] > since]
    held = _held(log, table, {load for _, load, _ in notes}) if notes and log.has(table) else set()
    return [f"{batch}: {note}" for batch, load, note in sorted(notes) if (batch, load) in held]


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
