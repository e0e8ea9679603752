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
    *
  FROM @{client}_journeys.paths
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts AND path_length > 0
), reached AS (
  SELECT
    touches.conversion_id,
    touches.revised_at,
    dates.milestone,
    MIN(LEAST(dates.reached_at, touches.converted_at)) AS reached_at
  FROM touches
  JOIN @{client}_journeys.milestone_dates AS dates
    ON touches.conversion_id = dates.conversion_id
    AND touches.revised_at >= dates.valid_from
    AND touches.revised_at < dates.valid_until
    /* the CRM may know the conversion's day only: what is of that day is not after it */
    AND @local_date(dates.reached_at, @timezone) <= @local_date(touches.converted_at, @timezone)
  WHERE
    touches.position = 1
  GROUP BY
    touches.conversion_id,
    touches.revised_at,
    dates.milestone
)
SELECT
  reached.conversion_id, /* The deal or purchase */
  reached.milestone, /* lead, opportunity, closing, or a name of the client's own */
  reached.reached_at, /* UTC, at most the conversion's time; of several leads, the earliest's */
  touches.touchpoint_id, /* The last touchpoint of the path at or before it; NULL where all came later */
  touches.position, /* Of that touchpoint in the path, as in attribution_v1; NULL where there is none */
  reached.revised_at /* Of the revision, UTC; the newest one holds */
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
