/* When each deal reached its milestones, and which touchpoint holds each, as of its newest revision. One row per conversion and milestone. */
MODEL (
  name @{client}_marts.fct_milestones,
  kind FULL,
  grain (conversion_id, milestone),
  enabled @has_milestones,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (conversion_id, milestone)),
    not_null(columns := (conversion_id, milestone, reached_at))
  )
);

SELECT
  conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  milestone, /* lead, opportunity, closing, or a name of the client's own */
  reached_at, /* UTC */
  touchpoint_id, /* The last touchpoint of the path at or before it; NULL where all came later */
  position /* Of that touchpoint in the path, as in attribution_v1; NULL where there is none */
FROM @current(@{client}_journeys.milestones, @{client}_journeys.revisions) AS milestones
