/* What each model that the client asks for gives each campaign, side by side. One row per month, model, channel and campaign. */
MODEL (
  name @{client}_publish.model_comparison,
  kind FULL,
  grain (month, model, channel, campaign),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @compares,
  blueprints @clients()
);

WITH gaps AS (
  SELECT
    DATE_TRUNC('MONTH', date)::DATE AS month,
    channel,
    @listed(platform, ', ') AS partial_without
  FROM @{client}_marts.spend_gaps
  GROUP BY
    1,
    channel
)
SELECT
  month, /* First day; of the spend and the touchpoint, in the client's time zone */
  model, /* By which the credit is shared */
  is_active, /* The model that the client's numbers are made by, or those of one type of conversions */
  is_additive, /* False where channels and campaigns do not share the conversion, but each earns it whole: never add them up */
  methods, /* What shared the credit: the model, or what stands in for it and why; NULL without a touchpoint */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  currency, /* Of all money in the row */
  cost, /* All spend, the same for every model */
  conversions, /* Credit, in conversions; where not additive, those that the campaign took part in, each once */
  revenue, /* Attributed revenue; where not additive, all revenue of these conversions */
  cpa, /* Cost per attributed conversion; NULL without one */
  roas, /* Attributed revenue per unit of cost; NULL without cost */
  conversions_moved, /* More than by the active model; negative if less */
  revenue_moved, /* More than by the active model; negative if less */
  partial_without /* Ad platforms whose spend of some day is not there, so that the cost is too low and ROAS too high; NULL if none */
FROM @{client}_marts.fct_models
LEFT JOIN gaps
  USING (month, channel)
ORDER BY
  month,
  model,
  channel,
  campaign
