/* Each day on which a conversion had to be credited anew: it is new or changed, or a touchpoint near it is. One row per conversion and day. */
MODEL (
  name @{client}_journeys.revisions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, revised_at),
  blueprints @clients()
);

WITH changed_touchpoints AS (
  /* as each is now, and as it was before */
  SELECT
    versions.customer_id,
    versions.next_customer_id,
    versions.next_seen_at,
    versions.touched_at,
    changes.changed_from,
    changes.loaded_at
  FROM @{client}_journeys.owned_touchpoints AS changes
  JOIN @{client}_journeys.owned_touchpoints AS versions
    ON changes.touchpoint_id = versions.touchpoint_id
    AND changes.loaded_at >= versions.loaded_at
  WHERE
    changes.loaded_at BETWEEN @start_ts AND @end_ts
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY changes.touchpoint_id, changes.loaded_at
      ORDER BY versions.loaded_at DESC
    ) <= 2
), causes AS (
  SELECT
    conversion_id,
    loaded_at
  FROM @{client}_journeys.conversions
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
  UNION ALL
  SELECT
    customers.conversion_id,
    owned.loaded_at
  FROM @owners(changed_touchpoints) AS owned
  JOIN @{client}_journeys.conversion_customers AS customers
    ON owned.customer_id = customers.customer_id
    AND customers.converted_at >= GREATEST(owned.owned_from, owned.changed_from)
    AND customers.converted_at < owned.owned_until
    AND owned.touched_at BETWEEN customers.converted_at - @SQL(@window_days) * INTERVAL '1' DAY AND customers.converted_at /* such as 30, or CASE conversion_type WHEN 'lead' THEN 7 WHEN 'deal' THEN 90 END */
    AND owned.loaded_at >= customers.valid_from
    AND owned.loaded_at < customers.valid_until
    AND NOT customers.is_withdrawn
  UNION ALL
  SELECT
    conversion_id,
    loaded_at
  FROM @optional(@has_leads, @client, journeys.crm_changes) AS crm_changes
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
)
SELECT
  conversion_id, /* The conversion being explained */
  MAX(loaded_at) AS revised_at /* When the day's last cause was committed, UTC */
FROM causes
GROUP BY
  conversion_id,
  loaded_at /* by day, as SQLMesh computes days: a day that is computed again takes nothing from another */::DATE