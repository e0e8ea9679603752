/* What a currency was worth on a day, each time a rate that tells came or went. One row per currency, day and change. */
MODEL (
  name @{client}_journeys.prices,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (currency, date, loaded_at),
  enabled @has_rates,
  blueprints @clients()
);

WITH moments AS (
  /* a rate holds on its own day, and for seven days after */
  SELECT DISTINCT
    currency,
    UNNEST(GENERATE_SERIES(rate_date, rate_date + INTERVAL '7' DAY, INTERVAL '1' DAY))::DATE AS date,
    loaded_at AS at
  FROM @{client}_staging.stg_rates
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
), known_rates AS (
  SELECT
    moments.currency,
    moments.date,
    moments.at,
    versions.rate_date,
    versions.loaded_at,
    CASE WHEN NOT versions.is_deleted THEN versions.rate END AS rate
  FROM moments
  JOIN @{client}_staging.stg_rates AS versions
    ON moments.currency = versions.currency
    AND versions.rate_date BETWEEN moments.date - 7 AND moments.date
    AND moments.at >= versions.loaded_at
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY moments.currency, moments.date, moments.at, versions.rate_date
      ORDER BY versions.loaded_at DESC, versions.is_deleted, versions.rate DESC
    ) = 1
)
SELECT
  currency, /* What it is the price of */
  date, /* In the client's time zone */
  MAX_BY(rate, rate_date) FILTER(WHERE
    NOT rate IS NULL) AS rate, /* The newest one of the day or the seven before, in the client's currency; NULL where all were taken back */
  at AS loaded_at /* When the version that tells was committed, UTC */
FROM known_rates
GROUP BY
  currency,
  date,
  at
HAVING
  MAX(rate_date) FILTER(WHERE
    loaded_at = at) >= COALESCE(MAX(rate_date) FILTER(WHERE
    NOT rate IS NULL), '0001-01-01'::DATE)
