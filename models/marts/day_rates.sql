/* What each currency is worth on each day, by the newest rates: the last one of the day or the seven before. One row per currency and day. */
MODEL (
  name @{client}_marts.day_rates,
  kind FULL,
  grain (currency, date),
  enabled @has_rates,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (currency, date))
  )
);

WITH days AS (
  SELECT
    *,
    UNNEST(GENERATE_SERIES(rate_date, rate_date + INTERVAL '7' DAY, INTERVAL '1' DAY))::DATE AS date
  FROM @newest(@{client}_staging.stg_rates, (currency, rate_date), rate) AS rates
  WHERE
    NOT is_deleted
)
SELECT
  currency, /* What the rate is the price of */
  date, /* In the client's time zone; of spend, in the ad account's */
  rate /* Units of the client's currency for one of this */
FROM days
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY currency, date ORDER BY rate_date DESC) = 1
