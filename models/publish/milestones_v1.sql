/* When each deal reached its milestones, and which touchpoint holds each. One row per conversion and milestone. */
MODEL (
  name @{client}_publish.milestones_v1,
  kind FULL,
  grain (conversion_id, milestone),
  enabled @has_milestones,
  depends_on (
    @{client}_marts.gate
  ),
  blueprints @clients()
);

SELECT
  milestones.conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  milestone, /* lead, opportunity, closing, or a name of the client's own */
  reached_at, /* UTC */
  touchpoint_id, /* The last touchpoint of the path at or before it; NULL where all came later */
  position, /* Of that touchpoint in the path, as in attribution_v1; NULL where there is none */
  NOT provisional.conversion_id IS NULL AS is_provisional, /* Credited ahead of the run that settles it; see docs/published.md */
  provisional.provisional_since /* When the load that it was credited anew for was committed, UTC; NULL where settled */
FROM @{client}_marts.fct_milestones AS milestones
LEFT JOIN @provisional() AS provisional
  ON milestones.conversion_id = provisional.conversion_id
ORDER BY
  milestones.conversion_id,
  reached_at,
  milestone
