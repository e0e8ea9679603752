/* Whose a touchpoint is, each time it changed or its visitor turned out to be another. One row per touchpoint and change. */
MODEL (
  name @{client}_journeys.owned_touchpoints,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH moments AS (
  SELECT
    touchpoint_id,
    loaded_at AS at
  FROM @{client}_journeys.touchpoints
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  UNION
  SELECT
    versions.touchpoint_id,
    identities.loaded_at AS at
  FROM @{client}_journeys.identities AS identities
  JOIN @{client}_journeys.touchpoints AS versions
    ON identities.visitor_id = versions.visitor_id
    AND identities.loaded_at >= versions.loaded_at
  WHERE
    identities.loaded_at BETWEEN @start_ts AND @end_ts
    AND versions.customer_id IS NULL
), known_touchpoints AS (
  SELECT
    moments.at,
    versions.*
  FROM moments
  JOIN @{client}_journeys.touchpoints AS versions
    ON moments.touchpoint_id = versions.touchpoint_id
    AND moments.at >= versions.loaded_at
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY moments.touchpoint_id, moments.at ORDER BY versions.loaded_at DESC) = 1
)
SELECT
  known_touchpoints.touchpoint_id, /* The touchpoint */
  CASE
    WHEN NOT known_touchpoints.is_deleted
    THEN COALESCE(known_touchpoints.customer_id, identities.customer_id)
  END AS customer_id, /* The touchpoint's own customer, or else its visitor's; NULL while anonymous, and once deleted */
  known_touchpoints.touched_at, /* UTC */
  known_touchpoints.channel, /* Of the touchpoint */
  known_touchpoints.campaign, /* Of the touchpoint */
  known_touchpoints.is_direct, /* Nothing led to the touchpoint */
  known_touchpoints.holder_engagement, /* May hold a customer, for IHC */
  known_touchpoints.closer_engagement, /* May close a sale, for IHC */
  known_touchpoints.at AS loaded_at /* When the version that decides it was committed, UTC */
FROM known_touchpoints
LEFT JOIN @{client}_journeys.identities AS identities
  ON known_touchpoints.visitor_id = identities.visitor_id
  AND known_touchpoints.at >= identities.loaded_at
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY known_touchpoints.touchpoint_id, known_touchpoints.at
    ORDER BY identities.loaded_at DESC
  ) = 1