/* The currencies and days of conversions and spend that have no rate in the client's currency. One row per currency and day. */
MODEL (
  name @{client}_marts.unpriced,
  kind FULL,
  grain (currency, date),
  blueprints @clients()
);

WITH waiting AS (
  SELECT
    original_currency AS currency,
    @local_date(converted_at, @timezone) AS date,
    COUNT(*) AS amounts
  FROM @newest(@{client}_journeys.conversions, conversion_id) AS conversions
  WHERE
    revenue IS NULL AND NOT is_withdrawn
  GROUP BY ALL
  UNION ALL
  SELECT
    currency,
    date,
    unpriced_rows AS amounts
  FROM @{client}_marts.spend_totals
  WHERE
    unpriced_rows > 0
)
SELECT
  currency, /* As the source has it */
  date, /* Of the conversion or the spend: the day that needs a rate */
  SUM(amounts)::BIGINT AS amounts, /* Conversions and costs that wait for it */
  ROW_NUMBER() OVER (ORDER BY date, currency) AS position /* 1 for the earliest */
FROM waiting
GROUP BY
  currency,
  date