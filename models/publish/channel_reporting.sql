/* What each channel cost and earned on each day. One row per channel and date. */
MODEL (
  name @{client}_publish.channel_reporting,
  kind FULL,
  grain (channel_name, date),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @publishes_channel_reporting,
  blueprints @clients()
);

SELECT
  channel AS channel_name, /* As the site names it; unattributed for what no session earned, or no session is known to have cost */
  date, /* Of the spend and the session, not of the conversion; in the client's time zone */
  SUM(cost)::DECIMAL(18, 6) AS cost, /* All spend, whether or not it earned anything */
  SUM(conversions::DECIMAL(38, 18))::DOUBLE AS ihc, /* Credit by the client's model, whichever it is, in conversions */
  @money(SUM(revenue)) AS ihc_revenue, /* The share in money: over all rows, the revenue of all conversions */
  MAX(partial_without) AS partial_without /* Ad platforms whose spend of the day is not there, so that the cost is too low and ROAS too high; NULL if none */
FROM @{client}_marts.fct_campaigns
GROUP BY
  channel,
  date
ORDER BY
  channel,
  date
