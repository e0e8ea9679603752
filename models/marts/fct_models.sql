/* What each model gives each campaign, beside the model in force; of the conversions that count. One row per month, model, channel and campaign. */
MODEL (
  name @{client}_marts.fct_models,
  kind FULL,
  grain (month, model, channel, campaign),
  enabled @compares,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (month, model, channel, campaign)),
    not_null(columns := (month, model, channel, campaign))
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
), models AS (
  SELECT
    model,
    BOOL_OR(is_active) AS is_active,
    is_additive
  FROM @SQL(@models_by_type) AS models_by_type /* a row for each type and model: ('deal', 'linear', TRUE, TRUE) */
  WHERE
    @SQL(@is_counted) /* such as TRUE, or CASE conversion_type WHEN 'deal' THEN TRUE WHEN 'lead' THEN FALSE END */
  GROUP BY ALL
), compared AS (
  SELECT
    spend.month,
    models.model,
    models.is_active,
    models.is_additive,
    spend.channel,
    spend.campaign,
    spend.cost,
    earned.methods,
    COALESCE(earned.conversions, 0) AS conversions,
    COALESCE(earned.revenue, 0) AS revenue,
    COALESCE(SUM(earned.active_conversions) OVER by_any_model, 0) AS active_conversions,
    COALESCE(SUM(earned.active_revenue) OVER by_any_model, 0) AS active_revenue
  FROM spend
  CROSS JOIN models
  LEFT JOIN @{client}_marts.model_months AS earned
    USING (month, model, channel, campaign)
  WINDOW by_any_model AS (PARTITION BY spend.month, spend.channel, spend.campaign)
)
SELECT
  month, /* First day; of the spend and the touchpoint, in the client's time zone */
  model, /* By which the credit is shared */
  is_active, /* The model that the client's numbers are made by, or those of one type of conversions */
  is_additive, /* False where channels and campaigns do not share the conversion, but each earns it whole: never add them up */
  methods, /* What shared the credit: the model, or what stands in for it and why; NULL without a touchpoint */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  @currency AS currency, /* Of all money in the row */
  cost, /* All spend, the same for every model */
  conversions::DOUBLE AS conversions, /* Credit, in conversions; where not additive, those that the campaign took part in, each once */
  @money(revenue) AS revenue, /* Attributed revenue; where not additive, all revenue of these conversions */
  cost::DOUBLE / NULLIF(conversions::DOUBLE, 0) AS cpa, /* Cost per attributed conversion; NULL without one */
  revenue::DOUBLE / NULLIF(cost::DOUBLE, 0) AS roas, /* Attributed revenue per unit of cost; NULL without cost */
  (
    conversions - active_conversions
  )::DOUBLE AS conversions_moved, /* More than by the active model; negative if less */
  @money(revenue - active_revenue) AS revenue_moved /* More than by the active model; negative if less */
FROM compared
