/* What each model, and the model in force, give to the touchpoints of each month; of the conversions that count. One row per month, model, channel and campaign with a touchpoint. */
MODEL (
  name @{client}_marts.model_months,
  kind EMBEDDED,
  grain (month, model, channel, campaign),
  enabled @compares,
  blueprints @clients()
);

WITH given AS (
  /* What a conversion gives to a campaign in a month. Where models are not additive, it is the whole,
  once: two touchpoints of one campaign, or another campaign of the channel, change nothing. */
  SELECT
    DATE_TRUNC('MONTH', @local_date(COALESCE(touched_at, converted_at), @timezone))::DATE AS month,
    model,
    is_active,
    method,
    channel,
    campaign,
    CASE WHEN is_additive THEN SUM(credit::DECIMAL(38, 18)) ELSE 1 END AS conversions,
    CASE WHEN is_additive THEN SUM(attributed_revenue) ELSE MAX(revenue) END AS revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_counted
  GROUP BY
    1,
    model,
    is_active,
    is_additive,
    method,
    channel,
    campaign,
    conversion_id
)
SELECT
  month, /* First day; of the touchpoint, in the client's time zone */
  model, /* By which the credit is shared */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  @listed(method, '; ') AS methods, /* What shared the credit: the model, or what stands in for it and why; NULL without a touchpoint */
  SUM(conversions) AS conversions, /* Credit, in conversions; where not additive, those that the campaign took part in, each once */
  SUM(revenue) AS revenue, /* Attributed revenue; where not additive, all revenue of these conversions */
  SUM(CASE WHEN is_active THEN conversions END) AS active_conversions, /* Of the conversions, those by the model in force */
  SUM(CASE WHEN is_active THEN revenue END) AS active_revenue /* Of the revenue, that by the model in force */
FROM given
GROUP BY
  month,
  model,
  channel,
  campaign
