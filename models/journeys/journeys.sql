/* A revised conversion with each touchpoint of its customer inside the window. One row per conversion, touchpoint and revision; a conversion without any keeps one row. */
MODEL (
  name @{client}_journeys.journeys,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  blueprints @clients()
);

WITH revised_conversions AS (
  SELECT
    conversions.conversion_id,
    conversions.customer_id,
    conversions.converted_at,
    conversions.revenue,
    conversions.is_withdrawn,
    revisions.revised_at
  FROM @{client}_journeys.revisions AS revisions
  JOIN @{client}_journeys.conversions AS conversions
    ON revisions.conversion_id = conversions.conversion_id
  WHERE
    revisions.revised_at BETWEEN @start_ts AND @end_ts
    AND conversions.loaded_at <= @end_ts
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY conversions.conversion_id ORDER BY conversions.loaded_at DESC) = 1
), known_visitors AS (
  SELECT
    visitor_id,
    customer_id
  FROM @{client}_journeys.identities
  WHERE
    loaded_at <= @end_ts
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY visitor_id ORDER BY loaded_at DESC) = 1
), candidates AS (
  SELECT
    touchpoints.touchpoint_id
  FROM @{client}_journeys.touchpoints AS touchpoints
  LEFT JOIN known_visitors
    ON touchpoints.visitor_id = known_visitors.visitor_id
  WHERE
    COALESCE(touchpoints.customer_id, known_visitors.customer_id) IN (
      SELECT
        customer_id
      FROM revised_conversions
    )
), owned_touchpoints AS (
  SELECT
    touchpoints.touchpoint_id,
    COALESCE(touchpoints.customer_id, known_visitors.customer_id) AS customer_id,
    touchpoints.touched_at,
    touchpoints.channel,
    touchpoints.campaign,
    touchpoints.is_direct,
    touchpoints.is_deleted
  FROM @{client}_journeys.touchpoints AS touchpoints
  LEFT JOIN known_visitors
    ON touchpoints.visitor_id = known_visitors.visitor_id
  WHERE
    touchpoints.loaded_at <= @end_ts
    AND touchpoints.touchpoint_id IN (
      SELECT
        touchpoint_id
      FROM candidates
    )
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY touchpoints.touchpoint_id ORDER BY touchpoints.loaded_at DESC) = 1
)
SELECT
  revised_conversions.conversion_id, /* The conversion */
  owned_touchpoints.touchpoint_id, /* NULL where the customer has none in the window */
  revised_conversions.customer_id, /* NULL if unknown */
  revised_conversions.converted_at, /* UTC */
  revised_conversions.revenue, /* In the client's currency */
  owned_touchpoints.touched_at, /* UTC, at most the window before the conversion, never after */
  owned_touchpoints.channel, /* Of the touchpoint */
  owned_touchpoints.campaign, /* Of the touchpoint */
  owned_touchpoints.is_direct, /* Nothing led to the touchpoint */
  revised_conversions.revised_at /* The newest row holds; UTC */
FROM revised_conversions
LEFT JOIN owned_touchpoints
  ON revised_conversions.customer_id = owned_touchpoints.customer_id
  AND owned_touchpoints.touched_at BETWEEN revised_conversions.converted_at - @lookback_days * INTERVAL '1' DAY AND revised_conversions.converted_at
  AND NOT owned_touchpoints.is_deleted
WHERE
  NOT revised_conversions.is_withdrawn