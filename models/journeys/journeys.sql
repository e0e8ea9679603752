/* A revised conversion with each touchpoint of its customer inside the window, as known at the revision. One row per conversion, touchpoint and revision; a conversion without any keeps one row. */
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
    conversions.*,
    revisions.revised_at
  FROM @{client}_journeys.revisions AS revisions
  JOIN @{client}_journeys.conversions AS conversions
    ON revisions.conversion_id = conversions.conversion_id
    AND revisions.revised_at >= conversions.loaded_at
  WHERE
    revisions.revised_at BETWEEN @start_ts AND @end_ts
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY revisions.conversion_id, revisions.revised_at
      ORDER BY conversions.loaded_at DESC
    ) = 1
), people AS (
  /* whose touchpoints count */
  SELECT
    conversion_id,
    conversion_type,
    revised_at,
    converted_at,
    customer_id
  FROM revised_conversions
  UNION
  SELECT
    revised_conversions.conversion_id,
    revised_conversions.conversion_type,
    revised_conversions.revised_at,
    revised_conversions.converted_at,
    members.customer_id
  FROM revised_conversions
  JOIN @optional(@by_account, @client, journeys.members) AS members
    ON revised_conversions.conversion_id = members.conversion_id
    AND revised_conversions.revised_at >= members.valid_from
    AND revised_conversions.revised_at < members.valid_until
), known_touchpoints AS (
  SELECT
    *,
    COALESCE(
      LEAD(loaded_at) OVER (PARTITION BY touchpoint_id ORDER BY loaded_at),
      '9999-12-31'::TIMESTAMP
    ) AS replaced_at
  FROM @{client}_journeys.owned_touchpoints
  WHERE
    touchpoint_id IN (
      SELECT
        touchpoint_id
      FROM @{client}_journeys.owned_touchpoints
      WHERE
        customer_id IN (
          SELECT
            customer_id
          FROM people
        )
    )
), touchpoints AS (
  SELECT
    people.conversion_id,
    people.revised_at,
    known_touchpoints.*
  FROM people
  JOIN known_touchpoints
    ON people.customer_id = known_touchpoints.customer_id
    AND known_touchpoints.touched_at BETWEEN people.converted_at - @SQL(@window_days) * INTERVAL '1' DAY AND people.converted_at
    AND people.revised_at >= known_touchpoints.loaded_at
    AND people.revised_at < known_touchpoints.replaced_at
)
SELECT
  revised_conversions.conversion_id, /* The conversion */
  revised_conversions.conversion_type, /* deal, purchase, or what the client calls the event */
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
  revised_conversions.revised_at /* The newest row holds; UTC */
FROM revised_conversions
LEFT JOIN touchpoints
  ON revised_conversions.conversion_id = touchpoints.conversion_id
  AND revised_conversions.revised_at = touchpoints.revised_at
WHERE
  NOT revised_conversions.is_withdrawn