/* What each model, and the model in force, give to the touchpoints of each month; of the conversions that count. One row per month, model, channel and campaign with a touchpoint. */
MODEL (
  name @{client}_marts.model_months,
  kind EMBEDDED,
  grain (month, model, channel, campaign),
  enabled @compares,
  blueprints @clients()
);

SELECT
  DATE_TRUNC('MONTH', @local_date(COALESCE(touched_at, converted_at), @timezone))::DATE AS month, /* First day; of the touchpoint, in the client's time zone */
  model, /* By which the credit is shared */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  @listed(method, '; ') AS methods, /* What shared the credit: the model, or what stands in for it and why; NULL without a touchpoint */
  CASE
    WHEN BOOL_AND(is_additive)
    THEN SUM(credit::DECIMAL(38, 18))
    ELSE COUNT(DISTINCT conversion_id)::DECIMAL(38, 18)
  END AS conversions, /* Credit, in conversions; where not additive, the conversions that the campaign took part in, each once */
  SUM(attributed_revenue) AS revenue, /* Attributed revenue */
  SUM(CASE WHEN is_active THEN credit::DECIMAL(38, 18) END) AS active_conversions, /* Of the conversions, those by the model in force */
  SUM(CASE WHEN is_active THEN attributed_revenue END) AS active_revenue /* Of the revenue, that by the model in force */
FROM @{client}_marts.fct_credit
WHERE
  is_counted
GROUP BY
  1,
  model,
  channel,
  campaign
