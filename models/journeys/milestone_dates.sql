/* When each milestone of a conversion was reached, by the CRM's dates and by the leads that it came of, and while the CRM holds it. One row per conversion, milestone and span of validity; of several leads, one each. */
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
  valid_from, /* From when it holds: the commit of the version that brought it, UTC */
  valid_until /* Until when it holds, UTC, excluded; 9999-12-31 while it does */
FROM @history(@{client}_journeys.conversions, conversion_id) AS conversions
UNION ALL
SELECT
  conversion_id,
  'lead' AS milestone,
  created_at AS reached_at,
  valid_from,
  valid_until
FROM @optional(@has_lead_milestone, @client, journeys.deal_leads) AS deal_leads
