/* Every version of every event of a shop, as it was committed. One row per event and load. */
MODEL (
  name @{client}_staging.stg_events,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (event_id, load_id),
  blueprints @clients()
);

SELECT
  row_key AS event_id, /* The event's own id; of one without it, a hash of the row but for currency and properties */
  @salesforce_id(client_id) AS client_id, /* The shop's customer */
  event_type, /* page_view, purchase, or a type that `conversions:` names */
  CASE
    WHEN event_type = 'page_view'
    THEN @utc(event_time, @timezone)
    ELSE @utc_by(event_time, @timezone)
  END AS event_time, /* UTC; of a day without an hour the first second of a page view, the last of what may be a conversion */
  session_id, /* The site's own id of the session */
  channel, /* The channel, as the shop names it */
  campaign_id, /* NULL where the channel has no campaigns */
  utm_source, /* As delivered */
  utm_medium, /* As delivered */
  page_url, /* Path on the shop's site */
  referrer_url, /* The page that led here */
  revenue::DECIMAL(18, 6) AS revenue, /* In its currency, as exact as delivered; NULL where the event has none */
  COALESCE(currency, @currency) AS currency, /* Of the revenue: the client's where the shop does not say */
  product_id, /* NULL but for purchases */
  product_category, /* NULL but for purchases */
  properties, /* Further columns that the client's file names, as JSON; NULL where it names none */
  NOT event_id IS NULL AS has_own_id, /* A later version may say anything else, also be of another type */
  is_deleted, /* True once a full export lacks the event */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(
  @client,
  web,
  events,
  (
    client_id,
    event_type,
    event_time,
    session_id,
    channel,
    campaign_id,
    utm_source,
    utm_medium,
    page_url,
    referrer_url,
    revenue,
    product_id,
    product_category,
    properties,
    event_id,
    currency
  )
)
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1