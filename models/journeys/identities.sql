/* Who a visitor turned out to be, each time that changed. One row per visitor and change. */
MODEL (
  name @{client}_journeys.identities,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (visitor_id, loaded_at),
  blueprints @clients()
);

WITH changed_visitors AS (
  SELECT DISTINCT
    versions.visitor_id,
    changed_touchpoints.loaded_at
  FROM @{client}_journeys.touchpoints AS changed_touchpoints
  JOIN @{client}_journeys.touchpoints AS versions
    ON changed_touchpoints.touchpoint_id = versions.touchpoint_id
    AND changed_touchpoints.loaded_at >= versions.loaded_at
  WHERE
    changed_touchpoints.loaded_at BETWEEN @start_ts AND @end_ts
    AND NOT versions.visitor_id IS NULL
), moments AS (
  /* evaluate at each load and just before the first, so that computing days together or alone gives the same rows */
  SELECT DISTINCT
    visitor_id,
    UNNEST([loaded_at, @start_ts::TIMESTAMP - INTERVAL '1' MICROSECOND]) AS at
  FROM changed_visitors
), sightings AS (
  /* all versions of the touchpoints that ever were a changed visitor's */
  SELECT
    *
  FROM @{client}_journeys.touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        touchpoints.touchpoint_id
      FROM @{client}_journeys.touchpoints AS touchpoints
      JOIN changed_visitors
        ON touchpoints.visitor_id = changed_visitors.visitor_id
    )
), last_sightings AS (
  SELECT
    moments.visitor_id,
    moments.at,
    sightings.customer_id
  FROM moments
  LEFT JOIN @history(sightings, touchpoint_id) AS sightings
    ON moments.visitor_id = sightings.visitor_id
    AND moments.at >= sightings.valid_from
    AND moments.at < sightings.valid_until
    AND NOT sightings.customer_id IS NULL
    AND NOT sightings.is_deleted
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
  visitor_id, /* The browser, by its cookie; NULL where unknown */
  customer_id, /* The customer last seen with it; NULL if that was taken back */
  at AS loaded_at /* When the version that decides it was committed, UTC */
FROM steps
WHERE
  customer_id IS DISTINCT FROM customer_before AND at BETWEEN @start_ts AND @end_ts