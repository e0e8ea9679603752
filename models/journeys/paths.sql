/* The touchpoints that may earn credit, in their order. One row per conversion, touchpoint and revision; a conversion without any keeps one row. */
MODEL (
  name @{client}_journeys.paths,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  blueprints @clients()
);

WITH revised AS (
  SELECT
    *,
    COALESCE(BOOL_AND(is_direct::BOOLEAN) OVER (PARTITION BY conversion_id, revised_at), TRUE) AS path_is_direct
  FROM @{client}_journeys.journeys
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts
), candidates AS (
  SELECT
    *
  FROM revised
  WHERE
    NOT touchpoint_id IS NULL
    AND (
      NOT is_direct
      OR @direct_touches = 'include'
      OR (
        @direct_touches = 'fallback' AND path_is_direct
      )
    )
), conversions AS (
  SELECT DISTINCT
    conversion_id,
    conversion_type,
    customer_id,
    converted_at,
    revenue,
    revised_at
  FROM revised
)
SELECT
  conversions.conversion_id, /* The conversion being explained */
  conversions.conversion_type, /* deal, purchase, site, or what the client calls the event */
  eligible.touchpoint_id, /* NULL where nothing may earn the credit */
  conversions.customer_id, /* NULL if unknown */
  conversions.converted_at, /* UTC */
  conversions.revenue, /* In the client's currency */
  eligible.touched_at, /* UTC */
  eligible.channel, /* Of the touchpoint */
  eligible.campaign, /* Of the touchpoint */
  eligible.is_direct, /* Nothing led to the touchpoint */
  eligible.holder_engagement, /* May hold a customer, for IHC */
  eligible.closer_engagement, /* May close a sale, for IHC */
  eligible.path_is_direct, /* No touchpoint of the conversion led here */
  ROW_NUMBER() OVER in_order AS position, /* 1 for the first touchpoint of the path */
  COUNT(eligible.touchpoint_id) OVER whole AS path_length, /* Touchpoints of the path; 0 where there are none */
  COUNT(CASE WHEN NOT eligible.is_direct THEN 1 END) OVER after AS non_direct_after, /* Later touchpoints that led here */
  DATE_DIFF('SECOND', eligible.touched_at, conversions.converted_at) AS age_seconds, /* From the touchpoint to the conversion */
  MIN(DATE_DIFF('SECOND', eligible.touched_at, conversions.converted_at)) OVER whole AS newest_age_seconds, /* The same, of the last touchpoint */
  conversions.revised_at /* Of the revision, UTC; the newest one holds */
FROM conversions
LEFT JOIN @SQL(@transformed) AS eligible /* such as (SELECT * FROM candidates QUALIFY channel IS DISTINCT FROM LAG(channel) OVER (…)) */
  USING (conversion_id, revised_at)
WINDOW whole AS (PARTITION BY conversions.conversion_id, conversions.revised_at), in_order AS (
  PARTITION BY conversions.conversion_id, conversions.revised_at
  ORDER BY eligible.touched_at, eligible.touchpoint_id
), after AS (
  PARTITION BY conversions.conversion_id, conversions.revised_at
  ORDER BY eligible.touched_at, eligible.touchpoint_id
  ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
)