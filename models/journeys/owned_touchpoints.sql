/* Whose a touchpoint is, each time it changed or somebody was seen on its browser. One row per touchpoint and change. */
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
    loaded_at AS version_at,
    loaded_at AS at
  FROM @{client}_journeys.touchpoints
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  UNION
  SELECT
    touchpoint_id,
    version_at,
    loaded_at AS at
  FROM @{client}_journeys.identities
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
)
SELECT
  versions.touchpoint_id, /* The touchpoint */
  CASE
    WHEN NOT versions.is_deleted
    THEN COALESCE(versions.customer_id, identities.customer_id)
  END AS customer_id, /* The touchpoint's own customer, or else the one seen on its browser before it; NULL while anonymous, and once deleted */
  identities.next_customer_id, /* The one seen there next, if another; NULL without one */
  identities.next_seen_at, /* When that was, UTC: for conversions from then on the touchpoint is the next customer's */
  versions.touched_at, /* UTC */
  versions.channel, /* Of the touchpoint */
  versions.campaign, /* Of the touchpoint */
  versions.is_direct, /* Nothing led to the touchpoint */
  versions.holder_engagement, /* May hold a customer, for IHC */
  versions.closer_engagement, /* May close a sale, for IHC */
  identities.changed_from, /* Earlier conversions do not notice the change, UTC; NULL where all may */
  moments.at AS loaded_at /* When the version that decides it was committed, UTC */
FROM moments
JOIN @{client}_journeys.touchpoints AS versions
  ON moments.touchpoint_id = versions.touchpoint_id
  AND moments.version_at = versions.loaded_at
LEFT JOIN @{client}_journeys.identities AS identities
  ON moments.touchpoint_id = identities.touchpoint_id
  AND moments.at = identities.loaded_at