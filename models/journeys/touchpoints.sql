/* Every version of every touchpoint, with its channel. One row per touchpoint and load. */
MODEL (
  name @{client}_journeys.touchpoints,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

WITH named AS (
  /* the client's rules of channels see a campaign by its alias */
  SELECT
    *
    EXCLUDE (campaign),
    COALESCE(@SQL(@aliases), campaign) AS campaign /* such as CASE WHEN campaign = 'sprnig' THEN 'spring' END */
  FROM @{client}_journeys.touchpoint_versions
  WHERE
    loaded_at BETWEEN @start_ts AND @end_ts
), ways AS (
  /* many touchpoints come the same way: it is grouped once */
  SELECT DISTINCT
    channel,
    source,
    medium,
    campaign,
    referrer,
    ad_network
  FROM named
), grouped AS (
  SELECT
    *,
    @channel(@channel_rules) AS channel_group
  FROM @categorised(ways)
)
SELECT
  touchpoint_id, /* A session, a page view of a shop's export, or a campaign's member that responded */
  visitor_id, /* The browser, by its cookie; NULL where unknown */
  @IF(@by_account, LOWER(customer_id), customer_id) AS customer_id, /* Who it was, where the touchpoint itself says so */
  touched_at, /* UTC */
  grouped.channel_group AS channel, /* As the site, the client's rules or GA4's default group name it */
  COALESCE(named.campaign, '(not set)') AS campaign, /* As utm_campaign or its alias names it */
  LOWER(grouped.channel_group) = 'direct' AS is_direct, /* Nothing led to the touchpoint */
  COALESCE(holder_engagement, TRUE) AS holder_engagement, /* May hold a customer, for IHC */
  COALESCE(closer_engagement, TRUE) AS closer_engagement, /* May close a sale, for IHC */
  is_deleted OR NOT excluded_by IS NULL AS is_deleted, /* The source took it back, or the visitor refused or withdrew consent */
  CASE WHEN NOT is_deleted THEN COALESCE(excluded_by, @SQL(@excluded_customers)) END AS excluded_by, /* The rule of the client's `exclude` that leaves it out; NULL where none does */
  gclid, /* Google's click id; NULL without one */
  gbraid, /* Google's click id on iOS, into an app; NULL without one */
  wbraid, /* Google's click id on iOS, from an app; NULL without one */
  dclid, /* Click id of Campaign Manager and Display & Video 360; NULL without one */
  msclkid, /* Microsoft's click id; NULL without one */
  fbclid, /* Facebook's click id; NULL without one */
  ttclid, /* TikTok's click id; NULL without one */
  li_fat_id, /* LinkedIn's click id; NULL without one */
  twclid, /* X's click id; NULL without one */
  campaign_id, /* The platform's id of the campaign that led here; NULL where unknown */
  ad_group_id, /* The platform's id of the ad group or ad set that led here; NULL where unknown */
  ad_id, /* The platform's id of the ad that led here; NULL where unknown */
  loaded_at /* When this version was committed, UTC */
FROM named
JOIN grouped
  ON named.channel IS NOT DISTINCT FROM grouped.channel
  AND named.source IS NOT DISTINCT FROM grouped.source
  AND named.medium IS NOT DISTINCT FROM grouped.medium
  AND named.campaign IS NOT DISTINCT FROM grouped.campaign
  AND named.referrer IS NOT DISTINCT FROM grouped.referrer
  AND named.ad_network IS NOT DISTINCT FROM grouped.ad_network