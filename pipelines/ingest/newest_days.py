"""Say of which day the newest row of each batch is, in the client's time zone."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from pipelines.contracts.contract import Contract
from pipelines.settings.client import Client
from pipelines.sql import literal


def newest_days(contract: Contract, client: Client) -> str:
    """Return SQL for the newest day of the good rows in `delivered`, by `export_file`.

    What is later than now does not count: a deal may have a planned day, a visitor's clock be wrong.
    """
    if not contract.dated_by:
        return "SELECT export_file, '' AS newest_day FROM batches"
    now = datetime.now(timezone.utc)
    here = now.astimezone(ZoneInfo(client.timezone))
    zone = literal(client.timezone)
    return f"""
      SELECT export_file, GREATEST(
        MAX(moment) FILTER (NOT has_offset AND moment <= TIMESTAMP '{here:%F %T}')::DATE,
        (MAX(moment) FILTER (has_offset AND moment <= TIMESTAMP '{now:%F %T}')
          AT TIME ZONE 'UTC' AT TIME ZONE {zone})::DATE
      )::TEXT AS newest_day
      FROM (
        SELECT export_file, TRY_CAST(written AS TIMESTAMP) AS moment,
        REGEXP_MATCHES(SUBSTR(written, 11), '[Z+C-]') AS has_offset
        FROM (
          SELECT export_file, UNNEST([{", ".join(contract.dated_by)}]) AS written
          FROM delivered WHERE reason IS NULL
        )
      ) GROUP BY export_file"""
