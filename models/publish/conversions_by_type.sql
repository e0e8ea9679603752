/* What each campaign cost and gave, for each type of conversions by itself. One row per month, type, channel and campaign. */
MODEL (
  name @{client}_publish.conversions_by_type,
  kind FULL,
  grain (month, conversion_type, channel, campaign),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @has_types,
  blueprints @clients()
);

SELECT
  month, /* First day; of the spend and the touchpoint, in the client's time zone */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  is_counted, /* The type is in campaigns and totals */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  currency, /* Of all money in the row */
  cost, /* All spend, the same for every type: never add it over types */
  conversions, /* Credit, in conversions of the type */
  revenue, /* Attributed revenue */
  cpa, /* Cost per attributed conversion; NULL without one */
  roas /* Attributed revenue per unit of cost; NULL without cost */
FROM @{client}_marts.fct_conversion_types
ORDER BY
  month,
  conversion_type,
  channel,
  campaign
