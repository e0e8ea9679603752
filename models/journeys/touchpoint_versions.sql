/* Every version of every touchpoint, as its source has it: sessions, page views of a shop's export, and responses to campaigns. One row per touchpoint and load. */
MODEL (
  name @{client}_journeys.touchpoint_versions,
  kind EMBEDDED,
  grain (touchpoint_id, loaded_at),
  blueprints @clients()
);

@union_all(
  (
    visitor_id := TEXT,
    source := TEXT,
    medium := TEXT,
    referrer := TEXT,
    ad_network := TEXT,
    holder_engagement := BOOLEAN,
    closer_engagement := BOOLEAN,
    excluded_by := TEXT,
    gclid := TEXT,
    gbraid := TEXT,
    wbraid := TEXT,
    dclid := TEXT,
    msclkid := TEXT,
    fbclid := TEXT,
    ttclid := TEXT,
    li_fat_id := TEXT,
    twclid := TEXT,
    campaign_id := TEXT,
    ad_group_id := TEXT,
    ad_id := TEXT
  ),
  (
    SELECT
      session_id AS touchpoint_id, /* A session, a page view of a shop's export, or a campaign's member that responded */
      visitor_id, /* The browser, by its cookie; NULL where unknown */
      customer_id, /* Who it was, where the touchpoint itself says so */
      started_at AS touched_at, /* UTC */
      channel, /* As the site or the CRM names it; NULL where it does not */
      source, /* utm_source; NULL without one */
      medium, /* utm_medium; NULL without one */
      campaign, /* utm_campaign, or as the CRM names it; NULL without one */
      referrer, /* The page that led here, a URL; NULL without one */
      @ad_network() AS ad_network, /* Whose ad was clicked, by the click id; NULL without one */
      holder_engagement, /* May hold a customer, for IHC */
      closer_engagement, /* May close a sale, for IHC */
      is_deleted OR NOT COALESCE(consent, TRUE) AS is_deleted, /* The source took it back, or the visitor refused or withdrew consent */
      @SQL(@excluded_sessions) AS excluded_by, /* such as CASE WHEN LOWER(visitor_id) IN ('qa') THEN CONCAT('visitor_id: ', visitor_id) END */
      loaded_at, /* When this version was committed, UTC */
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
      ad_id /* The platform's id of the ad that led here; NULL where unknown */
    FROM @{client}_staging.stg_sessions
  ),
  (
    SELECT
      touchpoint_id,
      customer_id,
      touched_at,
      channel,
      source,
      campaign,
      is_deleted,
      excluded_by,
      loaded_at
    FROM @{client}_journeys.page_views
  ),
  (
    SELECT
      campaign_member_id AS touchpoint_id,
      person_id AS customer_id,
      responded_at AS touched_at,
      COALESCE(campaign_type, 'Offline') AS channel,
      campaign,
      is_deleted OR NOT has_responded AS is_deleted,
      loaded_at
    FROM @optional(@has_campaign_members, @client, staging.stg_campaign_members) AS campaign_members
  )
)