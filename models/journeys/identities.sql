/* Who was seen on the browser of an anonymous touchpoint before and after it, each time that changed. One row per touchpoint and change. */
MODEL (
  name @{client}_journeys.identities,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH moments AS (
  /* evaluate just before the first load, too, so that computing days together or alone gives the same rows */
  SELECT DISTINCT
    visitor_id,
    tells,
    UNNEST([loaded_at, @start_ts::TIMESTAMP - INTERVAL '1' MICROSECOND]) AS at
  FROM @{client}_journeys.browser_changes
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
), versions AS (
  /* all versions of the touchpoints that ever were on a changed browser */
  SELECT
    *
  FROM @{client}_journeys.touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        touchpoint_id
      FROM @{client}_journeys.touchpoints
      JOIN moments
        USING (visitor_id)
    )
), known AS (
  /* where nobody was seen, only the touchpoint that is loaded may change */
  SELECT
    moments.at,
    versions.*
  FROM moments
  JOIN @history(versions, touchpoint_id) AS versions
    ON moments.visitor_id = versions.visitor_id
    AND moments.at >= versions.valid_from
    AND moments.at < versions.valid_until
    AND NOT versions.is_deleted
    AND (
      moments.tells
      OR moments.at = versions.loaded_at
      OR NOT versions.customer_id IS NULL
    )
), steps AS (
  SELECT
    *,
    CASE
      WHEN loaded_at < at
      THEN LAG(seen) OVER (PARTITION BY touchpoint_id ORDER BY at)
    END AS seen_then
  FROM @seen_around(known, @owner_is_last_seen)
)
SELECT
  touchpoint_id, /* A touchpoint that does not say who it was */
  seen.customer_id, /* The customer last seen on the browser before it; NULL without one */
  seen.next_customer_id, /* The customer next seen there after it, if another; NULL without one */
  seen.next_seen_at, /* When that was, UTC: conversions from then on take the touchpoint for the next customer's */
  CASE
    WHEN loaded_at < at AND NOT seen.customer_id IS DISTINCT FROM seen_then.customer_id
    THEN LEAST(seen.next_seen_at, seen_then.next_seen_at)
  END AS changed_from, /* Earlier conversions do not notice the change, UTC; NULL where all may */
  loaded_at AS version_at, /* When the touchpoint's own version was committed, UTC */
  at AS loaded_at /* When the version that decides it was committed, UTC */
FROM steps
WHERE
  at BETWEEN @start_ts AND @end_ts AND seen IS DISTINCT FROM seen_then