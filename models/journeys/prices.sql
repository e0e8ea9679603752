/* What a currency was worth on a day, each time a rate that decides it came or went. One row per currency, day and change. */
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
), rates_until_then AS (
  SELECT
    moments.date,
    moments.at,
    rates.*
  FROM moments
  JOIN @{client}_staging.stg_rates AS rates
    ON moments.currency = rates.currency
    AND rates.rate_date BETWEEN moments.date - 7 AND moments.date
    AND moments.at >= rates.loaded_at
), known_rates AS (
  SELECT
    currency,
    date,
    at,
    rate_date,
    loaded_at,
    CASE WHEN NOT is_deleted THEN rate END AS rate
  FROM @newest(rates_until_then, (currency, date, at, rate_date), rate) AS rates
)
SELECT
  currency, /* What the rate is the price of */
  date, /* In the client's time zone */
  MAX_BY(rate, rate_date) FILTER(WHERE
    NOT rate IS NULL) AS rate, /* The newest one of the day or the seven before, in the client's currency; NULL where all were taken back */
  at AS loaded_at /* When the version that decides it was committed, UTC */
FROM known_rates
GROUP BY
  currency,
  date,
  at
HAVING
  /* Only a change is kept: the load brought a rate (the left side is its latest day) that is not
  overtaken by a later day's (the right side is the day of the rate that holds). Example: Friday's
  rate is corrected when Saturday's is known. That makes a new price of Friday, and none of Saturday. */
  MAX(rate_date) FILTER(WHERE
    loaded_at = at) >= COALESCE(MAX(rate_date) FILTER(WHERE
    NOT rate IS NULL), '0001-01-01'::DATE)
