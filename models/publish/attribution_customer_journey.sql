/* Which session earned how much of which conversion, by the client's model. One row per conversion and session of its path. */
MODEL (
  name @{client}_publish.attribution_customer_journey,
  kind FULL,
  grain (conv_id, session_id),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @publishes_customer_journey,
  blueprints @clients()
);

SELECT
  conversion_id AS conv_id, /* The conversion */
  touchpoint_id AS session_id, /* A session of its path; a conversion without any has no row */
  credit AS ihc /* Share of the conversion by the client's model, whichever it is: 0 to 1, and 1 for each conversion */
FROM @{client}_marts.fct_credit
WHERE
  is_active AND is_attributed
ORDER BY
  conversion_id,
  position
