/* What the sources charged, beside what campaigns report. One row per currency and day. */
MODEL (
  name @{client}_marts.spend_totals,
  kind FULL,
  grain (currency, date),
  blueprints @clients()
);

WITH charged AS (
  SELECT
    currency,
    spend_date AS date,
    CASE WHEN NOT is_deleted THEN cost END AS cost
  FROM @newest(@{client}_staging.stg_ad_spend, (platform, spend_id), cost) AS spend
  UNION ALL
  SELECT
    costs.currency,
    sessions.date,
    CASE WHEN NOT costs.is_deleted THEN costs.cost END AS cost
  FROM @newest(@optional(@has_session_costs, @client, staging.stg_session_costs), session_id, cost) AS costs
  LEFT JOIN @optional(@has_session_costs, @client, marts.fct_session_costs) AS sessions
    ON costs.session_id = sessions.session_id
), priced AS (
  SELECT
    charged.*,
    @in_own_currency(charged.cost, charged.currency, day_rates.rate)::DECIMAL(18, 6) AS spend
  FROM charged
  LEFT JOIN @optional(@has_rates, @client, marts.day_rates) AS day_rates
    ON charged.currency = day_rates.currency AND charged.date = day_rates.date
  WHERE
    NOT charged.cost IS NULL
)
SELECT
  currency, /* As the source has it */
  date, /* Of the spend, or of the session that cost it */
  SUM(cost) AS cost, /* In that currency */
  SUM(spend) AS spend, /* In the client's currency, each cost at the rate of its day */
  COUNT(CASE WHEN spend IS NULL THEN 1 END) AS unpriced_rows /* Costs without a rate in the client's currency */
FROM priced
GROUP BY
  currency,
  date