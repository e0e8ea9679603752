/* What each campaign gave to each type of conversions, by the type's own model. One row per month, type, channel and campaign. */
MODEL (
  name @{client}_marts.fct_conversion_types,
  kind FULL,
  grain (month, conversion_type, channel, campaign),
  enabled @has_types,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (month, conversion_type, channel, campaign)),
    not_null(columns := (month, conversion_type, channel, campaign))
  )
);

WITH spend AS (
  SELECT
    DATE_TRUNC('MONTH', date)::DATE AS month,
    channel,
    campaign,
    SUM(cost) AS cost
  FROM @{client}_marts.fct_campaigns
  GROUP BY ALL
), spend_by_type AS (
  SELECT
    spend.*,
    types.conversion_type
  FROM spend
  CROSS JOIN @{client}_marts.conversion_totals AS types
  WHERE
    spend.cost <> 0
), earned AS (
  SELECT
    DATE_TRUNC('MONTH', @local_date(COALESCE(touched_at, converted_at), @timezone))::DATE AS month,
    conversion_type,
    channel,
    campaign,
    SUM(credit::DECIMAL(38, 18))::DOUBLE AS conversions,
    SUM(attributed_revenue) AS revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_active
  GROUP BY ALL
), joined AS (
  SELECT
    *
  FROM spend_by_type
  FULL OUTER JOIN earned
    USING (month, conversion_type, channel, campaign)
)
SELECT
  month, /* First day; of the spend and the touchpoint, in the client's time zone */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  @SQL(@is_counted) AS is_counted, /* The type is in campaigns and totals */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  @currency AS currency, /* Of all money in the row */
  COALESCE(cost, 0) AS cost, /* All spend, the same for every type: never add it over types */
  COALESCE(conversions, 0) AS conversions, /* Credit, in conversions of the type */
  @money(COALESCE(revenue, 0)) AS revenue, /* Attributed revenue */
  COALESCE(cost, 0)::DOUBLE / NULLIF(conversions, 0) AS cpa, /* Cost per attributed conversion; NULL without one */
  COALESCE(revenue, 0)::DOUBLE / NULLIF(cost, 0)::DOUBLE AS roas /* Attributed revenue per unit of cost; NULL without cost */
FROM joined
