/* Every version of every web session, as it was committed. One row per session and load. */
MODEL (
  name @{client}_staging.stg_sessions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (session_id, load_id),
  blueprints @clients()
);

SELECT
  session_id, /* The site's own id of the session */
  visitor_id, /* The browser, by its cookie; NULL where unknown */
  @salesforce_id(customer_id) AS customer_id, /* Who it was, where the session says so; NULL while anonymous */
  @utc(started_at, @timezone) AS started_at, /* UTC */
  channel, /* The channel, where the site itself names it */
  source, /* utm_source; NULL without one */
  medium, /* utm_medium; NULL without one */
  campaign, /* utm_campaign; NULL without one */
  referrer, /* The page that led here, a URL; NULL without one */
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
  consent::BOOLEAN AS consent, /* False where the visitor refused or withdrew it; NULL where nobody asked */
  COALESCE(holder_engagement::BOOLEAN, TRUE) AS holder_engagement, /* May hold a customer, for IHC */
  COALESCE(closer_engagement::BOOLEAN, TRUE) AS closer_engagement, /* May close a sale, for IHC */
  is_deleted, /* True once a full export lacks the session */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(
  @client,
  web,
  sessions,
  (
    session_id,
    visitor_id,
    customer_id,
    started_at,
    channel,
    source,
    medium,
    campaign,
    referrer,
    gclid,
    gbraid,
    wbraid,
    dclid,
    msclkid,
    fbclid,
    ttclid,
    li_fat_id,
    twclid,
    campaign_id,
    ad_group_id,
    ad_id,
    consent,
    holder_engagement,
    closer_engagement
  )
)
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1