"""Say of which day the newest row of each batch is, in the client's time zone."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.source_log import SourceLog
from pipelines.settings.client import Client
from pipelines.sql import literal, only_row

# In Z, UTC, +01:00 or -01:00; before it stands a day.
_HAS_OFFSET = """(CONTAINS(written, 'Z') OR CONTAINS(written, '+') OR CONTAINS(written, 'C')
  OR CONTAINS(SUBSTR(written, 11), '-'))"""

_DATED_BACK = "INTERVAL 1 MINUTE"  # a load is, at most: see `seen_from`


def newest_days(contract: Contract, client: Client) -> str:
    """Return SQL for the newest day of the good rows in `delivered`, by `export_file`.

    What is later than now does not count: a deal may have a planned day, a visitor's clock be wrong.
    """
    if not contract.dated_by:
        return "SELECT export_file, '' AS newest_day FROM batches"
    now = datetime.now(timezone.utc)
    here = now.astimezone(ZoneInfo(client.timezone))
    until = f"TIMESTAMP '{now:%F %T}' AS until, TIMESTAMP '{here:%F %T}' AS until_here"
    rows = f"(SELECT *, {until} FROM delivered WHERE reason IS NULL)"
    return f"SELECT export_file, {_newest(client)} AS newest_day FROM {_moments(contract, rows)} GROUP BY export_file"


def newest_day_in_lake(log: SourceLog, table: str, contract: Contract, client: Client) -> str:
    """Return the newest day of the rows whose loads did not count it, as older versions did not; '' if none."""
    loads = ", ".join(literal(load) for load in log.loaded(table).uncounted)
    if not loads or not log.has(table):
        return ""
    rows = f"""(
      FROM {log.rows(table, contract.dated_by)} AS log
      WHERE load_id IN ({loads}) AND NOT is_deleted
    )"""
    return _newest_of(rows, contract, client)


def newest_day_that_holds(log: SourceLog, table: str, contract: Contract, client: Client) -> str:
    """Return the newest day of the rows that are the newest of their keys; '' if none.

    A deal that was closed yesterday, and is dated a week earlier since, is of yesterday no more.
    """
    if not log.has(table):
        return ""
    rows = f"""(
      FROM (
        FROM {log.rows(table, contract.dated_by)} AS log
        QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
      ) WHERE NOT is_deleted
    )"""
    return _newest_of(rows, contract, client)


def _newest_of(rows: str, contract: Contract, client: Client) -> str:
    until = f"loaded_at + {_DATED_BACK}"
    here = f"({until}) AT TIME ZONE 'UTC' AT TIME ZONE {literal(client.timezone)}"
    known = f"(SELECT *, {until} AS until, {here} AS until_here FROM {rows} AS known)"
    with duckdb.connect() as connection:
        query = f"SELECT {_newest(client)} FROM {_moments(contract, known)}"
        return only_row(connection.execute(query))[0] or ""


def _newest(client: Client) -> str:
    zone = literal(client.timezone)
    return f"""GREATEST(
        MAX(moment) FILTER (NOT has_offset AND moment <= until_here)::DATE,
        (MAX(moment) FILTER (has_offset AND moment <= until)
          AT TIME ZONE 'UTC' AT TIME ZONE {zone})::DATE
      )::TEXT"""


def _moments(contract: Contract, rows: str) -> str:
    """Return SQL for the moments of rows, each with how late it may be: in UTC, and where the client is."""
    several = f"UNNEST([{', '.join(contract.dated_by)}])"
    written = contract.dated_by[0] if len(contract.dated_by) == 1 else several
    return f"""(
        SELECT * EXCLUDE written, TRY_CAST(written AS TIMESTAMP) AS moment,
        {_HAS_OFFSET} AS has_offset
        FROM (
          SELECT export_file, until, until_here, {written} AS written
          FROM {rows}
        )
      )"""
