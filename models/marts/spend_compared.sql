/* All spend, as the sources have it and as campaigns report it, and what of it or of the revenue waits for a rate. One row. */
MODEL (
  name @{client}_marts.spend_compared,
  kind EMBEDDED,
  grain spend,
  blueprints @clients()
);

WITH charged AS (
  SELECT
    COALESCE(SUM(spend), 0) AS spend
  FROM @{client}_marts.spend_totals
), reported AS (
  SELECT
    COALESCE(SUM(cost), 0) AS spend
  FROM @{client}_marts.fct_campaigns
), waiting AS (
  SELECT
    LISTAGG(CONCAT(currency, ' on ', date), ', '
    ORDER BY
      position) AS unpriced
  FROM @{client}_marts.unpriced
  WHERE
    position <= 5
)
SELECT
  charged.spend, /* As the platforms and the sessions' costs have it */
  reported.spend AS reported_spend, /* As the campaigns have it */
  waiting.unpriced /* The first five currencies and days without a rate that some money needs; NULL if none */
FROM charged
CROSS JOIN reported
CROSS JOIN waiting