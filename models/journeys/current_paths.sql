/* The touchpoints that may earn credit now, in their order: each conversion's path as of its newest revision. One row per conversion and touchpoint; a conversion without any keeps one row. */
MODEL (
  name @{client}_journeys.current_paths,
  kind VIEW,
  grain (conversion_id, touchpoint_id),
  blueprints @clients()
);

SELECT
  conversion_id, /* The conversion being explained */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  touchpoint_id, /* NULL where nothing may earn the credit */
  customer_id, /* NULL if unknown */
  converted_at, /* UTC */
  revenue, /* In the client's currency */
  touched_at, /* UTC */
  channel, /* Of the touchpoint */
  campaign, /* Of the touchpoint */
  is_direct, /* Nothing led to the touchpoint */
  holder_engagement, /* May hold a customer, for IHC */
  closer_engagement, /* May close a sale, for IHC */
  path_is_direct, /* No touchpoint of the conversion led here */
  position, /* 1 for the first touchpoint of the path */
  path_length, /* Touchpoints of the path; 0 where there are none */
  non_direct_after, /* Later touchpoints that led here */
  age_seconds, /* From the touchpoint to the conversion */
  newest_age_seconds, /* The same, of the last touchpoint */
  revised_at /* Of the newest revision, UTC */
FROM @current(@{client}_journeys.paths, @{client}_journeys.revisions) AS paths