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
  DATE_DIFF('DAY', last_touched_at::DATE, converted_at::DATE) AS days_to_conversion, /* Calendar days, UTC; NULL where there is no touchpoint */
  NOT provisional.conversion_id IS NULL AS is_provisional, /* Credited ahead of the run that settles it; see docs/published.md */
  provisional.provisional_since /* When the load that it was credited anew for was committed, UTC; NULL where settled */
FROM @{client}_marts.fct_path_ends AS path_ends
LEFT JOIN @provisional() AS provisional
  ON path_ends.conversion_id = provisional.conversion_id
ORDER BY
  converted_at,
  path_ends.conversion_id