/* Every version of every touchpoint, with its channel. One row per touchpoint and load. */
MODEL (
  name @{client}_journeys.touchpoints,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH visits AS (
  SELECT
    session_id AS touchpoint_id,
    visitor_id,
    customer_id,
    started_at AS touched_at,
    channel,
    source,
    medium,
    campaign,
    referrer,
    CASE
      WHEN NOT COALESCE(gclid, gbraid, wbraid) IS NULL
      THEN 'google'
      WHEN NOT msclkid IS NULL
      THEN 'bing'
      WHEN NOT fbclid IS NULL
      THEN 'facebook'
      WHEN NOT ttclid IS NULL
      THEN 'tiktok'
      WHEN NOT dclid IS NULL
      THEN 'doubleclick'
    END AS ad_network,
    holder_engagement,
    closer_engagement,
    is_deleted OR NOT COALESCE(consent, TRUE) AS is_deleted,
    loaded_at
  FROM @{client}_staging.stg_sessions
  UNION ALL
  SELECT
    event_id AS touchpoint_id,
    NULL::TEXT AS visitor_id,
    client_id AS customer_id,
    event_time AS touched_at,
    COALESCE(channel, 'direct') AS channel,
    NULL::TEXT AS source,
    NULL::TEXT AS medium,
    campaign_id AS campaign,
    NULL::TEXT AS referrer,
    NULL::TEXT AS ad_network,
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
    NULL::TEXT AS source,
    NULL::TEXT AS medium,
    campaign,
    NULL::TEXT AS referrer,
    NULL::TEXT AS ad_network,
    TRUE AS holder_engagement,
    TRUE AS closer_engagement,
    is_deleted OR NOT has_responded AS is_deleted,
    loaded_at
  FROM @optional(@has_campaign_members, @client, staging.stg_campaign_members) AS campaign_members
), named AS (
  SELECT
    *
    REPLACE (COALESCE(@SQL(@aliases), campaign) AS campaign)
  FROM visits
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
), grouped AS (
  SELECT
    *
    REPLACE (@channel(@channel_rules) AS channel)
  FROM named
)
SELECT
  touchpoint_id, /* A session, a page view of a shop's export, or a campaign's member that responded */
  visitor_id, /* The browser; NULL where unknown */
  @IF(@by_account, LOWER(customer_id), customer_id) AS customer_id, /* Who it was, where the touchpoint itself says so */
  touched_at, /* UTC */
  channel, /* As the site, the client's rules or GA4's default group name it */
  COALESCE(campaign, '(not set)') AS campaign, /* As utm_campaign or its alias names it */
  LOWER(channel) = 'direct' AS is_direct, /* Nothing led here */
  holder_engagement, /* May hold a customer, for IHC */
  closer_engagement, /* May close a sale, for IHC */
  is_deleted, /* The source took it back, or the visitor refused or withdrew consent */
  loaded_at /* When this version was committed, UTC */
FROM grouped