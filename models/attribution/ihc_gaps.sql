/* How much each touchpoint begins its journey, by the gap before it, and how much it ends it, by the time to the last one. One row per conversion, touchpoint and revision. */
MODEL (
  name @{client}_attribution.ihc_gaps,
  kind EMBEDDED,
  grain (conversion_id, touchpoint_id, revised_at),
  enabled @asks_ihc_local,
  blueprints @clients()
);

WITH timed AS (
  SELECT
    *,
    DATE_DIFF('SECOND', LAG(touched_at) OVER in_order, touched_at) / 3600::DOUBLE AS hours_since,
    (
      age_seconds - newest_age_seconds
    ) / 3600::DOUBLE AS hours_left
  FROM @{client}_journeys.paths
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts AND path_length > 0
  WINDOW in_order AS (PARTITION BY conversion_id, revised_at ORDER BY position)
)
SELECT
  timed.conversion_id, /* The conversion being explained */
  timed.touchpoint_id, /* The touchpoint being scored */
  timed.channel, /* Of the touchpoint */
  timed.position, /* 1 for the first touchpoint of the path */
  timed.holder_engagement, /* May hold a customer, for IHC */
  curves.version, /* Of the curves; NULL for those that stand in */
  @ihc_begins(hours_since, curves)::DECIMAL(38, 18) AS begins, /* 1 where the journey begins anew, 0 where the gap is too small for it */
  CASE
    WHEN position = path_length
    THEN 1
    WHEN closer_engagement
    THEN @ihc_ends(hours_left, curves)
    ELSE 0
  END::DECIMAL(38, 18) AS ends, /* 1 for the last touchpoint, less for earlier ones, 0 for those that may not close */
  timed.revised_at /* Of the revision being scored, UTC */
FROM timed
LEFT JOIN @learned(@client, @curve_learners, (i0 := DOUBLE, i1 := DOUBLE, closer_hours := DOUBLE[])) AS curves
  ON timed.revised_at >= curves.valid_from
  AND timed.revised_at < curves.valid_until
  AND curves.i0 < curves.i1
