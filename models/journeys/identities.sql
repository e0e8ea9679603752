/* Who a visitor turned out to be, each time that changed. One row per visitor and change. */
MODEL (
  name @{client}_journeys.identities,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (visitor_id, loaded_at),
  blueprints @clients()
);

WITH fresh_touchpoints AS (
  SELECT
    touchpoint_id,
    MAX(loaded_at) AS loaded_at
  FROM @{client}_journeys.touchpoints
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  GROUP BY
    touchpoint_id
), stirred_visitors AS (
  SELECT
    versions.visitor_id,
    MAX(fresh_touchpoints.loaded_at) AS loaded_at
  FROM fresh_touchpoints
  JOIN @{client}_journeys.touchpoints AS versions
    ON fresh_touchpoints.touchpoint_id = versions.touchpoint_id
  WHERE
    NOT versions.visitor_id IS NULL AND versions.loaded_at <= @end_ts
  GROUP BY
    versions.visitor_id
), moments AS (
  SELECT
    'before' AS moment,
    @start_ts::TIMESTAMP - INTERVAL '1' MICROSECOND AS at
  UNION ALL
  SELECT
    'after' AS moment,
    @end_ts::TIMESTAMP AS at
), sightings AS (
  SELECT
    moments.moment,
    versions.*
  FROM @{client}_journeys.touchpoints AS versions
  JOIN moments
    ON versions.loaded_at <= moments.at
  WHERE
    versions.touchpoint_id IN (
      SELECT
        touchpoint_id
      FROM @{client}_journeys.touchpoints
      WHERE
        visitor_id IN (
          SELECT
            visitor_id
          FROM stirred_visitors
        )
    )
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY moment, touchpoint_id ORDER BY versions.loaded_at DESC) = 1
), last_sightings AS (
  SELECT
    moment,
    visitor_id,
    customer_id
  FROM sightings
  WHERE
    NOT customer_id IS NULL AND NOT is_deleted
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY moment, visitor_id ORDER BY touched_at DESC, touchpoint_id DESC) = 1
)
SELECT
  stirred_visitors.visitor_id, /* The browser */
  known_after.customer_id, /* The customer last seen with it; NULL if that was taken back */
  stirred_visitors.loaded_at /* When the last version that tells was committed, UTC */
FROM stirred_visitors
LEFT JOIN last_sightings AS known_before
  ON stirred_visitors.visitor_id = known_before.visitor_id
  AND known_before.moment = 'before'
LEFT JOIN last_sightings AS known_after
  ON stirred_visitors.visitor_id = known_after.visitor_id
  AND known_after.moment = 'after'
WHERE
  known_before.customer_id IS DISTINCT FROM known_after.customer_id
  AND stirred_visitors.loaded_at BETWEEN @start_ts AND @end_ts