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

WITH newest_revisions AS (
  SELECT
    conversion_id,
    MAX(revised_at) AS revised_at
  FROM @{client}_journeys.revisions
  GROUP BY
    conversion_id
)
SELECT
  milestones.conversion_id, /* An opportunity, or a purchase of a shop's export */
  milestones.milestone, /* lead, opportunity, closing, or a name of the client's own */
  milestones.reached_at, /* UTC */
  milestones.touchpoint_id, /* The last touchpoint of the path at or before it; NULL where all came later */
  milestones.position /* Of that touchpoint in the path, as in attribution_v1 */
FROM @{client}_journeys.milestones AS milestones
JOIN newest_revisions
  ON milestones.conversion_id = newest_revisions.conversion_id
  AND milestones.revised_at = newest_revisions.revised_at
ORDER BY
  milestones.conversion_id,
  milestones.reached_at,
  milestones.milestone
