/* Which version of a conversion in another currency was priced anew by a later load, and when. One row per version and later price. */
MODEL (
  name @{client}_journeys.repricings,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column priced_at
  ),
  grain (conversion_id, loaded_at, priced_at),
  enabled @has_rates,
  blueprints @clients()
);

WITH versions AS (
  SELECT
    opportunity_id AS conversion_id,
    currency,
    closed_at AS converted_at,
    loaded_at
  FROM @{client}_staging.stg_opportunities
  UNION ALL
  SELECT
    event_id AS conversion_id,
    currency,
    event_time AS converted_at,
    loaded_at
  FROM @{client}_staging.stg_events
  WHERE
    NOT @SQL(@event_types) IS NULL
  UNION ALL
  SELECT
    conversion_id,
    currency,
    converted_at,
    loaded_at
  FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions
), known_versions AS (
  SELECT
    *,
    COALESCE(
      LEAD(loaded_at) OVER (PARTITION BY conversion_id ORDER BY loaded_at),
      '9999-12-31'::TIMESTAMP
    ) AS replaced_at
  FROM versions
)
SELECT
  known_versions.conversion_id, /* The conversion */
  known_versions.loaded_at, /* When its version was committed, UTC */
  prices.loaded_at AS priced_at /* When the later price was, before the next version, UTC */
FROM @{client}_journeys.prices AS prices
JOIN known_versions
  ON known_versions.currency = prices.currency
  AND @local_date(known_versions.converted_at, @timezone) = prices.date
  AND known_versions.loaded_at < prices.loaded_at
  AND known_versions.replaced_at > prices.loaded_at
WHERE
  prices.loaded_at BETWEEN @start_ts AND @end_ts AND known_versions.currency <> @currency
