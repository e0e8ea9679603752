/* Which channel a purchase's last touchpoint came from, whatever the client's model. One row per purchase. */
MODEL (
  name @{client}_publish.last_touch_attribution,
  kind FULL,
  grain (client_id, purchase_time),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @publishes_last_touch,
  blueprints @clients()
);

SELECT
  customer_id AS client_id, /* Who bought */
  converted_at AS purchase_time, /* UTC */
  last_channel AS attributed_channel, /* Of the last touchpoint; unattributed where there is none */
  revenue AS attributed_revenue, /* The whole purchase's, in the client's currency */
  last_touched_at AS last_touch_time, /* UTC; NULL where there is no touchpoint */
  DATE_DIFF('DAY', last_touched_at::DATE, converted_at::DATE) AS days_to_conversion /* Calendar days, UTC; NULL where there is no touchpoint */
FROM @{client}_marts.fct_path_ends
ORDER BY
  converted_at,
  conversion_id