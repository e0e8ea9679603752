/* Each day on which a conversion had to be credited anew: it is new or changed, or a touchpoint near it is. One row per conversion and day. */
MODEL (
  name @{client}_journeys.revisions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, revised_at),
  blueprints @clients()
);

WITH stirred_touchpoints AS (
  /* as each is now, and as it was before */
  SELECT
    versions.customer_id,
    versions.touched_at,
    fresh_touchpoints.loaded_at
  FROM @{client}_journeys.owned_touchpoints AS fresh_touchpoints
  JOIN @{client}_journeys.owned_touchpoints AS versions
    ON fresh_touchpoints.touchpoint_id = versions.touchpoint_id
    AND fresh_touchpoints.loaded_at >= versions.loaded_at
  WHERE
    fresh_touchpoints.loaded_at BETWEEN @start_ts AND @end_ts
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY fresh_touchpoints.touchpoint_id, fresh_touchpoints.loaded_at
      ORDER BY versions.loaded_at DESC
    ) <= 2
), known_conversions AS (
  SELECT
    *,
    COALESCE(
      LEAD(loaded_at) OVER (PARTITION BY conversion_id ORDER BY loaded_at),
      '9999-12-31'::TIMESTAMP
    ) AS replaced_at
  FROM @{client}_journeys.conversions
), people AS (
  /* a row for each customer whose touchpoints count, while they do */
  SELECT
    conversion_id,
    conversion_type,
    customer_id,
    converted_at,
    is_withdrawn,
    loaded_at,
    replaced_at
  FROM known_conversions
  UNION ALL
  SELECT
    known_conversions.conversion_id,
    known_conversions.conversion_type,
    members.customer_id,
    known_conversions.converted_at,
    known_conversions.is_withdrawn,
    GREATEST(known_conversions.loaded_at, members.valid_from) AS loaded_at,
    LEAST(known_conversions.replaced_at, members.valid_until) AS replaced_at
  FROM known_conversions
  JOIN @optional(@by_account, @client, journeys.members) AS members
    ON known_conversions.conversion_id = members.conversion_id
), causes AS (
  /* kept by day, as SQLMesh computes days: a day that is computed again takes nothing from another */
  SELECT
    conversion_id,
    loaded_at
  FROM @{client}_journeys.conversions
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  UNION ALL
  SELECT
    people.conversion_id,
    stirred_touchpoints.loaded_at
  FROM stirred_touchpoints
  JOIN people
    ON stirred_touchpoints.customer_id = people.customer_id
    AND stirred_touchpoints.touched_at BETWEEN people.converted_at - @SQL(@window_days) * INTERVAL '1' DAY AND people.converted_at
    AND stirred_touchpoints.loaded_at >= people.loaded_at
    AND stirred_touchpoints.loaded_at < people.replaced_at
    AND NOT people.is_withdrawn
  UNION ALL
  SELECT
    conversion_id,
    loaded_at
  FROM @optional(@has_leads, @client, journeys.crm_changes) AS crm_changes
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
)
SELECT
  conversion_id, /* The conversion to credit anew */
  MAX(loaded_at) AS revised_at /* When the day's last cause was committed, UTC */
FROM causes
GROUP BY
  conversion_id,
  loaded_at::DATE