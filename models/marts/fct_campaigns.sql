/* What a campaign cost on a day, and what its touchpoints of that day earned. One row per date, channel and campaign. */
MODEL (
  name @{client}_marts.fct_campaigns,
  kind FULL,
  grain (date, channel, campaign),
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (date, channel, campaign)),
    not_null(columns := (date, channel, campaign))
  )
);

WITH spend AS (
  SELECT
    costs.date,
    costs.channel,
    costs.campaign,
    SUM(@in_own_currency(costs.cost, costs.currency, day_rates.rate)::DECIMAL(18, 6)) AS cost,
    CASE WHEN MIN(costs.currency) = MAX(costs.currency) THEN MIN(costs.currency) END AS original_currency,
    SUM(costs.cost) AS original_cost,
    SUM(costs.clicks) AS clicks,
    SUM(costs.impressions) AS impressions
  FROM @{client}_marts.campaign_costs AS costs
  LEFT JOIN @optional(@has_rates, @client, marts.day_rates) AS day_rates
    ON costs.currency = day_rates.currency AND costs.date = day_rates.date
  GROUP BY
    costs.date,
    costs.channel,
    costs.campaign
), earned AS (
  SELECT
    @local_date(COALESCE(touched_at, converted_at), @timezone) AS date,
    channel,
    campaign,
    SUM(credit::DECIMAL(38, 18))::DOUBLE AS conversions,
    SUM(attributed_revenue) AS revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_active AND is_counted
  GROUP BY
    1,
    channel,
    campaign
), gaps AS (
  SELECT
    date,
    channel,
    @listed(platform, ', ') AS partial_without
  FROM @{client}_marts.spend_gaps
  GROUP BY
    date,
    channel
)
SELECT
  COALESCE(spend.date, earned.date) AS date, /* Of the spend and the touchpoint, not of the conversion; in the client's time zone */
  COALESCE(spend.channel, earned.channel) AS channel, /* unattributed where nothing earned the credit, or a cost's session was never delivered */
  COALESCE(spend.campaign, earned.campaign) AS campaign, /* As utm_campaign and the platform name it */
  @currency AS currency, /* Of all money in the row */
  COALESCE(spend.cost, 0)::DECIMAL(18, 6) AS cost, /* All spend, whether or not it earned anything; each cost at the rate of its day */
  spend.original_currency, /* Of the spend in the sources; NULL without any, or in several currencies */
  CASE WHEN NOT spend.original_currency IS NULL THEN spend.original_cost END::DECIMAL(18, 6) AS original_cost, /* The spend in that currency; NULL likewise */
  COALESCE(spend.clicks, 0)::BIGINT AS clicks, /* As the platform counts */
  COALESCE(spend.impressions, 0)::BIGINT AS impressions, /* As the platform counts */
  COALESCE(earned.conversions, 0) AS conversions, /* Credit, in conversions */
  @money(COALESCE(earned.revenue, 0)) AS revenue, /* Attributed revenue */
  COALESCE(spend.cost, 0)::DOUBLE / NULLIF(earned.conversions, 0) AS cpa, /* Cost per attributed conversion; NULL without one */
  COALESCE(earned.revenue, 0)::DOUBLE / NULLIF(spend.cost, 0)::DOUBLE AS roas, /* Attributed revenue per unit of cost; NULL without cost */
  gaps.partial_without /* Ad platforms whose spend of the day is not there, so that the cost is too low and ROAS too high; NULL if none */
FROM spend
FULL OUTER JOIN earned
  ON spend.date = earned.date
  AND spend.channel = earned.channel
  AND spend.campaign = earned.campaign
LEFT JOIN gaps
  ON COALESCE(spend.date, earned.date) = gaps.date
  AND COALESCE(spend.channel, earned.channel) = gaps.channel