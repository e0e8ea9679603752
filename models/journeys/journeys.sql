/* A revised conversion with each touchpoint of its customers inside the window, as known at the revision. One row per conversion, touchpoint and revision; a conversion without any keeps one row. */
MODEL (
  name @{client}_journeys.journeys,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  blueprints @clients()
);

WITH customers AS (
  SELECT
    *
  FROM @{client}_journeys.revised_customers
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts
), candidates AS (
  /* all versions of the touchpoints that ever were one of these customers' */
  SELECT
    *
  FROM @{client}_journeys.owned_touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        owned.touchpoint_id
      FROM @owners(@{client}_journeys.owned_touchpoints) AS owned
      JOIN customers
        ON owned.customer_id = customers.customer_id
    )
), versions AS (
  SELECT
    *
  FROM @history(candidates, touchpoint_id) AS versions
), touchpoints AS (
  SELECT
    customers.conversion_id,
    customers.revised_at,
    owned.*
  FROM customers
  JOIN @owners(versions) AS owned
    ON customers.customer_id = owned.customer_id
    AND customers.converted_at >= owned.owned_from
    AND customers.converted_at < owned.owned_until
    AND owned.touched_at BETWEEN customers.converted_at - @SQL(@window_days) * INTERVAL '1' DAY AND customers.converted_at /* such as 30, or CASE conversion_type WHEN 'lead' THEN 7 WHEN 'deal' THEN 90 END */
    AND customers.revised_at >= owned.valid_from
    AND customers.revised_at < owned.valid_until
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
FROM @{client}_journeys.revised_conversions AS revised_conversions
LEFT JOIN touchpoints
  USING (conversion_id, revised_at)
WHERE
  revised_conversions.revised_at BETWEEN @start_ts AND @end_ts
  AND NOT revised_conversions.is_withdrawn