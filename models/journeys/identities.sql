/* Who a visitor turned out to be, each time that changed. One row per visitor and change. */
MODEL (
  name @{client}_journeys.identities,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (visitor_id, loaded_at),
  blueprints @clients()
);

WITH stirred_visitors AS (
  SELECT DISTINCT
    versions.visitor_id,
    fresh_touchpoints.loaded_at
  FROM @{client}_journeys.touchpoints AS fresh_touchpoints
  JOIN @{client}_journeys.touchpoints AS versions
    ON fresh_touchpoints.touchpoint_id = versions.touchpoint_id
    AND fresh_touchpoints.loaded_at >= versions.loaded_at
  WHERE
    fresh_touchpoints.loaded_at BETWEEN @start_ts AND @end_ts
    AND NOT versions.visitor_id IS NULL
), moments AS (
  /* as of each load, not of the run: a day computed later, alone or with others gives the same rows */
  SELECT
    visitor_id,
    loaded_at AS at
  FROM stirred_visitors
  UNION
  SELECT
    visitor_id,
    @start_ts::TIMESTAMP - INTERVAL '1' MICROSECOND AS at
  FROM stirred_visitors
), sightings AS (
  SELECT
    touchpoint_id,
    CASE WHEN NOT customer_id IS NULL AND NOT is_deleted THEN visitor_id END AS visitor_id,
    customer_id,
    touched_at,
    loaded_at,
    COALESCE(
      LEAD(loaded_at) OVER (PARTITION BY touchpoint_id ORDER BY loaded_at),
      '9999-12-31'::TIMESTAMP
    ) AS replaced_at
  FROM @{client}_journeys.touchpoints
  WHERE
    touchpoint_id IN (
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
), last_sightings AS (
  SELECT
    moments.visitor_id,
    moments.at,
    sightings.customer_id
  FROM moments
  LEFT JOIN sightings
    ON moments.visitor_id = sightings.visitor_id
    AND moments.at >= sightings.loaded_at
    AND moments.at < sightings.replaced_at
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY moments.visitor_id, moments.at
      ORDER BY sightings.touched_at DESC, sightings.touchpoint_id DESC
    ) = 1
), steps AS (
  SELECT
    *,
    LAG(customer_id) OVER (PARTITION BY visitor_id ORDER BY at) AS customer_before
  FROM last_sightings
)
SELECT
  visitor_id, /* The browser */
  customer_id, /* The customer last seen with it; NULL if that was taken back */
  at AS loaded_at /* When the version that tells was committed, UTC */
FROM steps
WHERE
  customer_id IS DISTINCT FROM customer_before AND at BETWEEN @start_ts AND @end_ts