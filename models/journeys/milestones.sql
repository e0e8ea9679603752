/* When each milestone of a revised conversion was reached, and the last touchpoint of its path at or before it, which holds it. One row per conversion, milestone and revision. */
MODEL (
  name @{client}_journeys.milestones,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, milestone, revised_at),
  enabled @has_milestones,
  blueprints @clients()
);

WITH touches AS (
  SELECT
    conversion_id,
    touchpoint_id,
    converted_at,
    touched_at,
    position,
    revised_at
  FROM @{client}_journeys.paths
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts AND path_length > 0
), revised_deals AS (
  SELECT
    deals.*,
    touches.revised_at
  FROM (
    SELECT DISTINCT
      conversion_id,
      revised_at
    FROM touches
  ) AS touches
  JOIN @{client}_journeys.conversions AS deals
    ON touches.conversion_id = deals.conversion_id AND touches.revised_at >= deals.loaded_at
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY touches.conversion_id, touches.revised_at ORDER BY deals.loaded_at DESC) = 1
), dates AS (
  SELECT
    conversion_id,
    revised_at,
    UNNEST((@SQL(@dated_milestones))::TEXT[]) AS milestone,
    UNNEST((@SQL(@milestone_dates))::TIMESTAMP[]) AS reached_at,
    converted_at
  FROM revised_deals
  UNION ALL
  SELECT
    revised_deals.conversion_id,
    revised_deals.revised_at,
    'lead' AS milestone,
    deal_leads.created_at AS reached_at,
    revised_deals.converted_at
  FROM revised_deals
  JOIN @optional(@has_lead_milestone, @client, journeys.deal_leads) AS deal_leads
    ON revised_deals.conversion_id = deal_leads.conversion_id
    AND revised_deals.revised_at >= deal_leads.valid_from
    AND revised_deals.revised_at < deal_leads.valid_until
), reached AS (
  /* the CRM may know the conversion's day only: what is of that day is not after it */
  SELECT
    conversion_id,
    revised_at,
    milestone,
    MIN(LEAST(reached_at, converted_at)) AS reached_at
  FROM dates
  WHERE
    @local_date(reached_at, @timezone) <= @local_date(converted_at, @timezone)
  GROUP BY
    conversion_id,
    revised_at,
    milestone
)
SELECT
  reached.conversion_id, /* The deal or purchase */
  reached.milestone, /* lead, opportunity, closing, or a name of the client's own */
  reached.reached_at, /* UTC, at most the conversion's time; of several leads, the earliest's */
  touches.touchpoint_id, /* The last touchpoint at or before it; NULL where all came later */
  touches.position, /* Of that touchpoint in the path; NULL where there is none */
  reached.revised_at /* The newest row holds; UTC */
FROM reached
LEFT JOIN touches
  ON reached.conversion_id = touches.conversion_id
  AND reached.revised_at = touches.revised_at
  AND reached.reached_at >= touches.touched_at
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY reached.conversion_id, reached.milestone, reached.revised_at
    ORDER BY touches.position DESC
  ) = 1
