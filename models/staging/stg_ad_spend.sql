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
    *,
    COALESCE(@SQL(@ad_campaigns), campaign, campaign_id) AS utm_campaign /* such as CASE platform WHEN 'google_ads' THEN CASE WHEN campaign_id = '76' THEN 'brand' END END */
  FROM @ad_spend(
    @client,
    @ad_platforms,
    (spend_date, campaign_id, campaign, cost, currency, clicks, impressions)
  ) AS ad_spend
), paid_clicks AS (
  /* spend has the channel of the clicks it paid for */
  SELECT
    *
    REPLACE (utm_campaign AS campaign),
    @SQL(@ad_channels) AS channel, /* such as CASE platform WHEN 'facebook_ads' THEN 'Social' END */
    ad_network AS source,
    'cpc' AS medium,
    NULL::TEXT AS referrer
  FROM delivered
)
SELECT
  platform, /* The ad platform, by the name of its source, such as google_ads */
  @channel(@channel_rules) AS channel, /* The one that the client's settings give the platform, or its clicks have */
  row_key AS spend_id, /* A hash of day, account, campaign, ad group and ad, as far as they are delivered */
  spend_date::DATE AS spend_date, /* In the ad account's time zone */
  campaign_id, /* The platform's id */
  campaign, /* The name that sessions carry in utm_campaign: the platform's, or what the client calls it */
  cost::DECIMAL(18, 6) AS cost, /* In its currency, as exact as delivered */
  COALESCE(currency, @currency) AS currency, /* Of the cost: the client's where the platform does not say */
  clicks::BIGINT AS clicks, /* As the platform counts; NULL where not delivered */
  impressions::BIGINT AS impressions, /* As the platform counts; NULL where not delivered */
  is_deleted, /* True once a full export lacks the row */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @categorised(paid_clicks)
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY platform, row_key, load_id ORDER BY ordinal DESC) = 1