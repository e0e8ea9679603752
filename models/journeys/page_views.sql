/* Every version of every event that is, or was, a page view of a shop. One row per event and load. */
MODEL (
  name @{client}_journeys.page_views,
  kind EMBEDDED,
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH first_views AS (
  SELECT
    event_id,
    MIN(loaded_at) AS viewed_from
  FROM @{client}_staging.stg_events
  WHERE
    has_own_id AND event_type = 'page_view'
  GROUP BY
    event_id
)
SELECT
  CASE WHEN has_own_id THEN 'event:' || events.event_id ELSE events.event_id END AS touchpoint_id, /* The event; its own id might be a session's, too */
  client_id AS customer_id, /* Who viewed it */
  event_time AS touched_at, /* UTC */
  COALESCE(channel, 'direct') AS channel, /* As the shop names it */
  utm_source AS source, /* As delivered; NULL without one */
  campaign_id AS campaign, /* As the shop names it; NULL where the channel has no campaigns */
  is_deleted OR event_type <> 'page_view' AS is_deleted, /* A full export lacks it, or it is no page view any more */
  @SQL(@excluded_events) AS excluded_by, /* The rule of the client's `exclude` that leaves the row out; NULL where none does */
  loaded_at /* When this version was committed, UTC */
FROM @{client}_staging.stg_events AS events
LEFT JOIN first_views
  ON events.event_id = first_views.event_id
  AND events.loaded_at > first_views.viewed_from
WHERE
  event_type = 'page_view' OR NOT first_views.event_id IS NULL