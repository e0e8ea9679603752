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
  credit.conversion_id AS conv_id, /* The conversion */
  touchpoint_id AS session_id, /* A session of its path; a conversion without any has no row */
  credit.credit AS ihc, /* Share of the conversion by the client's model, whichever it is: 0 to 1, and 1 for each conversion */
  NOT provisional.conversion_id IS NULL AS is_provisional, /* Credited ahead of the run that settles it; see docs/published.md */
  provisional.provisional_since /* When the load that it was credited anew for was committed, UTC; NULL where settled */
FROM @{client}_marts.fct_credit AS credit
LEFT JOIN @provisional() AS provisional
  ON credit.conversion_id = provisional.conversion_id
WHERE
  is_active AND is_attributed
ORDER BY
  credit.conversion_id,
  position
