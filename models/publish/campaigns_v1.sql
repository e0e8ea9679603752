/* What each campaign cost and earned on each day. One row per date, channel and campaign. */
MODEL (
  name @{client}_publish.campaigns_v1,
  kind FULL,
  grain (date, channel, campaign),
  depends_on (
    @{client}_marts.gate
  ),
  blueprints @clients()
);

SELECT
  date, /* Of the spend and the touchpoint, not of the conversion; in the client's time zone */
  channel, /* unattributed where nothing earned the credit */
  campaign, /* As utm_campaign and the platform name it */
  currency, /* Of all money in the row but the original cost */
  cost, /* All spend, whether or not it earned anything; each cost at the rate of its day */
  original_currency, /* Of the spend in the sources; NULL without any, or in several currencies */
  original_cost, /* The spend in that currency; NULL likewise */
  clicks, /* As the platform counts */
  impressions, /* As the platform counts */
  conversions, /* Credit, in conversions */
  revenue, /* Attributed revenue */
  cpa, /* Cost per attributed conversion; NULL without one */
  roas, /* Attributed revenue per unit of cost; NULL without cost */
  partial_without /* Ad platforms whose spend of the day is not there, so that the cost is too low and ROAS too high; NULL if none */
FROM @{client}_marts.fct_campaigns
ORDER BY
  date,
  channel,
  campaign