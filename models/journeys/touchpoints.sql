/* Every version of every touchpoint, with its channel. One row per touchpoint and load. */
MODEL (
  name @{client}_journeys.touchpoints,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH touches AS (
  SELECT
    session_id AS touchpoint_id,
    visitor_id,
    customer_id,
    started_at AS touched_at,
    @channel(channel, source, medium, referrer, gclid, fbclid) AS channel,
    campaign,
    holder_engagement,
    closer_engagement,
    is_deleted,
    loaded_at
  FROM @{client}_staging.stg_sessions
  UNION ALL
  SELECT
    event_id AS touchpoint_id,
    NULL::TEXT AS visitor_id,
    client_id AS customer_id,
    event_time AS touched_at,
    COALESCE(channel, 'direct') AS channel,
    campaign_id AS campaign,
    TRUE AS holder_engagement,
    TRUE AS closer_engagement,
    is_deleted,
    loaded_at
  FROM @{client}_staging.stg_events
  WHERE
    event_type = 'page_view'
  UNION ALL
  SELECT
    campaign_member_id AS touchpoint_id,
    NULL::TEXT AS visitor_id,
    person_id AS customer_id,
    responded_at AS touched_at,
    COALESCE(campaign_type, 'Offline') AS channel,
    campaign,
    TRUE AS holder_engagement,
    TRUE AS closer_engagement,
    is_deleted OR NOT has_responded AS is_deleted,
    loaded_at
  FROM @optional(@takes_campaign_members, @client, staging.stg_campaign_members) AS campaign_members
)
SELECT
  touchpoint_id, /* A session, a page view of a shop's export, or a campaign's member that responded */
  visitor_id, /* The browser; NULL where unknown */
  @IF(@by_account, LOWER(customer_id), customer_id) AS customer_id, /* Who it was, where the touchpoint itself says so */
  touched_at, /* UTC */
  channel, /* As the site names it, or GA4's default group */
  COALESCE(campaign, '(not set)') AS campaign, /* As utm_campaign names it */
  LOWER(channel) = 'direct' AS is_direct, /* Nothing led here */
  holder_engagement, /* May hold a customer, for IHC */
  closer_engagement, /* May close a sale, for IHC */
  is_deleted, /* The source took it back */
  loaded_at /* When this version was committed, UTC */
FROM touches
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts