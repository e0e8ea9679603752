/* What each channel opened and closed, by revenue. One row per channel. */
MODEL (
  name @{client}_publish.channel_performance,
  kind FULL,
  grain channel,
  depends_on (
    @{client}_marts.gate
  ),
  enabled @publishes_channels,
  blueprints @clients()
);

WITH path_ends AS (
  SELECT
    conversion_id,
    customer_id,
    first_channel AS channel,
    revenue AS first_touch_revenue,
    0 AS last_touch_revenue
  FROM @{client}_marts.fct_path_ends
  UNION ALL
  SELECT
    conversion_id,
    customer_id,
    last_channel AS channel,
    0 AS first_touch_revenue,
    revenue AS last_touch_revenue
  FROM @{client}_marts.fct_path_ends
)
SELECT
  channel, /* As the shop names it, or unattributed */
  @money(SUM(first_touch_revenue)) AS first_touch_revenue, /* Of purchases whose first touchpoint it was */
  @money(SUM(last_touch_revenue)) AS last_touch_revenue, /* Of purchases whose last touchpoint it was */
  COUNT(DISTINCT conversion_id) AS total_conversions, /* Purchases whose first or last touchpoint it was, each once */
  COUNT(DISTINCT customer_id) AS unique_clients /* Customers who made them */
FROM path_ends
GROUP BY
  channel
ORDER BY
  channel