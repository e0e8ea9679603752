/* Every version of a day's spend, by campaign or finer, as it was committed. One row per platform, spend and load. */
MODEL (
  name @{client}_staging.stg_ad_spend,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (platform, spend_id, load_id),
  blueprints @clients()
);

WITH delivered AS (
  SELECT
    'google_ads' AS platform,
    'google' AS ad_network,
    NULLIF(@google_channel, '') AS channel,
    COALESCE(@SQL(@google_campaigns), campaign, campaign_id) AS utm_campaign,
    *
  FROM @raw(
    @client,
    google_ads,
    spend,
    (spend_date, campaign_id, campaign, cost, currency, clicks, impressions)
  )
  UNION ALL
  SELECT
    'facebook_ads' AS platform,
    'facebook' AS ad_network,
    NULLIF(@facebook_channel, '') AS channel,
    COALESCE(@SQL(@facebook_campaigns), campaign, campaign_id) AS utm_campaign,
    *
  FROM @raw(
    @client,
    facebook_ads,
    spend,
    (spend_date, campaign_id, campaign, cost, currency, clicks, impressions)
  )
), paid_clicks AS (
  /* spend has the channel of the clicks it paid for */
  SELECT
    *
    REPLACE (utm_campaign AS campaign),
    NULL::TEXT AS source,
    NULL::TEXT AS medium,
    NULL::TEXT AS referrer
  FROM delivered
)
SELECT
  platform, /* google_ads or facebook_ads */
  @channel(@channel_rules) AS channel, /* The one that the client's settings give the platform, or its clicks have */
  row_key AS spend_id, /* A hash of day, account, campaign, ad group and ad, as far as they are told */
  spend_date::DATE AS spend_date, /* In the ad account's time zone */
  campaign_id, /* The platform's id */
  campaign, /* The name that sessions carry in utm_campaign: the platform's, or what the client calls it */
  cost::DECIMAL(18, 6) AS cost, /* In its currency, as exact as delivered */
  COALESCE(currency, @currency) AS currency, /* Of the cost: the client's where the platform does not say */
  clicks::BIGINT AS clicks, /* NULL where not delivered */
  impressions::BIGINT AS impressions, /* NULL where not delivered */
  is_deleted, /* True once a full export lacks the row */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM paid_clicks
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY platform, row_key, load_id ORDER BY ordinal DESC) = 1