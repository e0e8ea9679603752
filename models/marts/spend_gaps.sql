/* Which ad platform's spend is not there, by the day and by the channels that it is spent in. One row per date, channel and platform. */
MODEL (
  name @{client}_marts.spend_gaps,
  kind FULL,
  grain (date, channel, platform),
  blueprints @clients()
);

WITH missing AS (
  SELECT
    platform,
    ad_network,
    date
  FROM @missing_spend(@client, @ad_platforms)
), paid_clicks AS (
  /* of a platform that has delivered nothing yet, the channel of its clicks is known all the same */
  SELECT DISTINCT
    platform,
    ad_network,
    @SQL(@ad_channels) AS channel, /* such as CASE platform WHEN 'facebook_ads' THEN 'Social' END */
    ad_network AS source,
    'cpc' AS medium,
    NULL::TEXT AS campaign,
    NULL::TEXT AS referrer
  FROM missing
), channels AS (
  SELECT
    platform,
    @channel(@channel_rules) AS channel
  FROM @categorised(paid_clicks)
  UNION
  SELECT
    platform,
    channel
  FROM @{client}_staging.stg_ad_spend
)
SELECT
  missing.date, /* In the ad account's time zone; up to yesterday */
  channels.channel, /* That the platform's spend has, or would have */
  missing.platform /* The ad platform, by the name of its source, such as google_ads */
FROM missing
JOIN channels
  ON missing.platform = channels.platform