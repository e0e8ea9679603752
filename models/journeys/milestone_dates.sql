/* When each milestone of a conversion was reached, by the CRM's dates and by the leads that it came of, and while the CRM said so. One row per conversion, milestone, and time that something said so; of several leads, one each. */
MODEL (
  name @{client}_journeys.milestone_dates,
  kind EMBEDDED,
  grain (conversion_id, milestone, reached_at, valid_from, valid_until),
  enabled @has_milestones,
  blueprints @clients()
);

SELECT
  conversion_id, /* The deal or purchase */
  UNNEST((@SQL(@dated_milestones))::TEXT[]) AS milestone, /* lead, opportunity, closing, or a name of the client's own */
  UNNEST((@SQL(@milestone_dates))::TIMESTAMP[]) AS reached_at, /* UTC; NULL if not reached */
  valid_from, /* When what says so was committed, UTC */
  valid_until /* When it was replaced, UTC, excluded; far ahead while it is not */
FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
UNION ALL
SELECT
  conversion_id,
  'lead' AS milestone,
  created_at AS reached_at,
  valid_from,
  valid_until
FROM @optional(@has_lead_milestone, @client, journeys.deal_leads) AS deal_leads
