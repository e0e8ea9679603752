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
    *,
    CASE WHEN is_first THEN first_channel ELSE last_channel END AS channel
  FROM @{client}_marts.fct_path_ends
  CROSS JOIN (VALUES
    (TRUE),
    (FALSE)) AS ends(is_first)
)
SELECT
  channel, /* As the shop names it, or unattributed */
  @money(SUM(CASE WHEN is_first THEN revenue ELSE 0 END)) AS first_touch_revenue, /* Of purchases whose first touchpoint it was */
  @money(SUM(CASE WHEN NOT is_first THEN revenue ELSE 0 END)) AS last_touch_revenue, /* Of purchases whose last touchpoint it was */
  COUNT(DISTINCT conversion_id) AS total_conversions, /* Purchases whose first or last touchpoint it was, each once */
  COUNT(DISTINCT customer_id) AS unique_clients /* Customers who made them */
FROM path_ends
GROUP BY
  channel
ORDER BY
  channel