/* A revised conversion with each touchpoint of its customers inside the window, as known at the revision. One row per conversion, touchpoint and revision; a conversion without any keeps one row. */
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
    *
  FROM @{client}_journeys.revised_conversions
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts AND NOT is_withdrawn
), customers AS (
  SELECT DISTINCT
    revised_conversions.conversion_id,
    revised_conversions.conversion_type,
    revised_conversions.converted_at,
    revised_conversions.revised_at,
    customers.customer_id
  FROM revised_conversions
  JOIN @{client}_journeys.conversion_customers AS customers
    ON revised_conversions.conversion_id = customers.conversion_id
    AND revised_conversions.revised_at >= customers.valid_from
    AND revised_conversions.revised_at < customers.valid_until
), candidates AS (
  /* all versions of the touchpoints that ever were one of these customers' */
  SELECT
    *
  FROM @{client}_journeys.owned_touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        owned_touchpoints.touchpoint_id
      FROM @{client}_journeys.owned_touchpoints AS owned_touchpoints
      JOIN customers
        ON owned_touchpoints.customer_id = customers.customer_id
    )
), touchpoints AS (
  SELECT
    customers.conversion_id,
    customers.revised_at,
    candidates.*
  FROM customers
  JOIN @history(candidates, touchpoint_id) AS candidates
    ON customers.customer_id = candidates.customer_id
    AND candidates.touched_at BETWEEN customers.converted_at - @SQL(@window_days) * INTERVAL '1' DAY AND customers.converted_at /* such as 30, or CASE conversion_type WHEN 'lead' THEN 7 WHEN 'deal' THEN 90 END */
    AND customers.revised_at >= candidates.valid_from
    AND customers.revised_at < candidates.valid_until
)
SELECT
  revised_conversions.conversion_id, /* The conversion being explained */
  revised_conversions.conversion_type, /* deal, purchase, site, or what the client calls the event */
  touchpoints.touchpoint_id, /* NULL where the customer has none in the window */
  revised_conversions.customer_id, /* NULL if unknown */
  revised_conversions.converted_at, /* UTC */
  revised_conversions.revenue, /* In the client's currency */
  touchpoints.touched_at, /* UTC, at most the window before the conversion, never after */
  touchpoints.channel, /* Of the touchpoint */
  touchpoints.campaign, /* Of the touchpoint */
  touchpoints.is_direct, /* Nothing led to the touchpoint */
  touchpoints.holder_engagement, /* May hold a customer, for IHC */
  touchpoints.closer_engagement, /* May close a sale, for IHC */
  revised_conversions.revised_at /* Of the revision, UTC; the newest one holds */
FROM revised_conversions
LEFT JOIN touchpoints
  USING (conversion_id, revised_at)