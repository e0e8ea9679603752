"""Tell by cause how spend moved between two versions, row by row of what platforms charged."""

from datetime import datetime

import duckdb

from pipelines.explaining.causes import Cause
from pipelines.sql import literal

# Each cost at the rate of its day, the last one of the day or the seven before, as campaigns have it.
_SPEND = """
CREATE TEMP TABLE {version}_spend AS
WITH newest AS (
  SELECT * FROM {version}_staging.stg_ad_spend
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY platform, spend_id ORDER BY loaded_at DESC, is_deleted, cost DESC) = 1
), rates AS (
  SELECT currency, rate_date, rate FROM {rates} AS rates
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY currency, rate_date ORDER BY loaded_at DESC, is_deleted, rate DESC) = 1
    AND NOT is_deleted
)
SELECT
  platform, spend_id, spend_date, channel, campaign, loaded_at, cost AS original_cost,
  CASE
    WHEN newest.currency = {currency} OR cost = 0 THEN cost
    WHEN rate_date >= spend_date - 7 THEN cost::DECIMAL(20, 6) * rate
  END::DECIMAL(18, 6) AS cost
FROM newest
ASOF LEFT JOIN rates ON newest.currency = rates.currency AND newest.spend_date >= rates.rate_date
WHERE NOT newest.is_deleted
"""
_NO_RATES = """(SELECT NULL::TEXT AS currency, NULL::DATE AS rate_date, NULL::DECIMAL(18, 9) AS rate,
  NULL::TIMESTAMP AS loaded_at, FALSE AS is_deleted WHERE FALSE)"""

_MOVES = """
INSERT INTO moves
WITH versions AS (
  SELECT
    *,
    MAX(CASE WHEN is_now THEN loaded_at END) OVER row_of AS now_loaded_at,
    COUNT(DISTINCT is_now) OVER row_of AS in_versions,
    COUNT(DISTINCT original_cost) OVER row_of AS costs,
    COUNT(DISTINCT (channel, campaign)) OVER row_of AS places
  FROM (SELECT *, FALSE AS is_now FROM then_spend UNION ALL SELECT *, TRUE FROM now_spend)
  WINDOW row_of AS (PARTITION BY platform, spend_id)
), told AS (
  SELECT
    *,
    CASE
      WHEN in_versions = 1 AND NOT is_now AND {is_deleted_since} THEN {deleted_spend}
      WHEN in_versions = 1 AND is_now AND loaded_at > {then_until} THEN {new_spend}
      WHEN in_versions = 1 THEN {promotion}
      WHEN costs > 1 OR places > 1
        THEN CASE WHEN now_loaded_at > {then_until} THEN {restated_spend} ELSE {promotion} END
      ELSE {rates}
    END AS cause
  FROM versions
)
SELECT
  cause, channel, campaign, CONCAT(platform, ' ', spend_date, ' ', campaign),
  CASE WHEN is_now THEN cost ELSE -cost END, 0, 0
FROM told
"""
# Only rows that moved are kept: what is the same in both versions cancels out.
_DELETED = """(platform, spend_id) IN (
  SELECT (platform, spend_id) FROM now_staging.stg_ad_spend WHERE is_deleted AND loaded_at > {then_until})"""


def add_spend_moves(
    opened: duckdb.DuckDBPyConnection,
    then_until: datetime,
    is_promoted: bool,
    currency: str,
    rated: dict[str, bool],
) -> None:
    """Add to the table `moves` what moved spend from `then_…` to `now_…`.

    `rated` says of which of both the client has exchange rates.
    """
    until = f"TIMESTAMP '{then_until}'"
    for version in ("then", "now"):
        rates = f"{version}_staging.stg_rates" if rated[version] else _NO_RATES
        opened.execute(_SPEND.format(version=version, rates=rates, currency=literal(currency)))
    causes = {cause.name.lower(): literal(cause) for cause in Cause}
    if not is_promoted:
        causes["promotion"] = literal(Cause.OTHER)
    deleted = _DELETED.format(then_until=until)
    opened.execute(_MOVES.format(then_until=until, is_deleted_since=deleted, **causes))
    opened.execute("DROP TABLE then_spend; DROP TABLE now_spend")
