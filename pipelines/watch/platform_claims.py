"""Read what ad platforms claim for themselves, where they deliver it, and what their campaigns earned here.

Claims enter no credit and no published table: they are read from the log of what was delivered, which
nobody locks. A campaign is found by the name that `campaigns_v1` has; one that has an alias is not.
"""

from typing import Any

import duckdb

from pipelines.ingest.source_log import SourceLog
from pipelines.settings.client import Client

Days = dict[str, float]  # by day, such as 2026-11-26


def claims_and_ours(
    opened: duckdb.DuckDBPyConnection, client: Client, bounds: dict[str, Any]
) -> tuple[dict[str, Days], dict[str, Days]]:
    """Return by source and day the conversions claimed, and those that the same campaigns earned."""
    claims, ours = dict[str, Days](), dict[str, Days]()
    for source in client.sources.platforms:
        if (log := SourceLog(client.id, source)).has("spend"):
            rows = opened.execute(_compared(client, log), bounds).fetchall()
            if any(claimed for _, claimed, _ in rows):
                claims[source] = {day: claimed for day, claimed, _ in rows if claimed}
                ours[source] = {day: earned for day, _, earned in rows if earned}
    return claims, ours


def _compared(client: Client, log: SourceLog) -> str:
    return f"""
      WITH delivered AS (
        SELECT spend_date::DATE AS day, COALESCE(campaign, campaign_id) AS campaign,
        TRY_CAST(conversions AS DOUBLE) AS claimed
        FROM (
          FROM {log.rows("spend", ["conversions"])} AS log
          QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
        ) WHERE NOT is_deleted AND spend_date::DATE BETWEEN $first AND $last
      ), claimed AS (
        SELECT day, SUM(claimed) AS claimed FROM delivered GROUP BY day
      ), earned AS (
        SELECT date AS day, SUM(conversions) AS earned FROM {client.id}_publish.campaigns_v1
        WHERE date BETWEEN $first AND $last AND campaign IN (SELECT campaign FROM delivered)
        GROUP BY date
      )
      SELECT day::TEXT, claimed, earned FROM claimed FULL JOIN earned USING (day)"""
