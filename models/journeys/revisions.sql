/* Each time a conversion had to be credited anew: it is new or changed, or a touchpoint near it is. One row per conversion and revision. */
MODEL (
  name @{client}_journeys.revisions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, revised_at),
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
), stirred_touchpoints AS (
  SELECT
    versions.visitor_id,
    versions.customer_id,
    versions.touched_at,
    fresh_touchpoints.loaded_at
  FROM fresh_touchpoints
  JOIN @{client}_journeys.touchpoints AS versions
    ON fresh_touchpoints.touchpoint_id = versions.touchpoint_id
  UNION ALL
  SELECT
    versions.visitor_id,
    versions.customer_id,
    versions.touched_at,
    identities.loaded_at
  FROM @{client}_journeys.identities AS identities
  JOIN @{client}_journeys.touchpoints AS versions
    ON identities.visitor_id = versions.visitor_id
  WHERE
    identities.loaded_at BETWEEN @start_ts AND @end_ts
    AND versions.customer_id IS NULL
), stirred_customers AS (
  SELECT
    customer_id,
    touched_at,
    loaded_at
  FROM stirred_touchpoints
  WHERE
    NOT customer_id IS NULL
  UNION ALL
  SELECT
    identities.customer_id,
    stirred_touchpoints.touched_at,
    stirred_touchpoints.loaded_at
  FROM stirred_touchpoints
  JOIN @{client}_journeys.identities AS identities
    ON stirred_touchpoints.visitor_id = identities.visitor_id
  WHERE
    stirred_touchpoints.customer_id IS NULL
), causes AS (
  SELECT
    conversion_id,
    loaded_at
  FROM @{client}_journeys.conversions
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  UNION ALL
  SELECT
    conversions.conversion_id,
    stirred_customers.loaded_at
  FROM stirred_customers
  JOIN @{client}_journeys.conversions AS conversions
    ON stirred_customers.customer_id = conversions.customer_id
    AND stirred_customers.touched_at BETWEEN conversions.converted_at - @lookback_days * INTERVAL '1' DAY AND conversions.converted_at
)
SELECT
  conversion_id, /* The conversion to credit anew */
  MAX(loaded_at) AS revised_at /* When the last cause was committed, UTC */
FROM causes
GROUP BY
  conversion_id