/* Every version of every conversion that the site itself exports, as it was committed. One row per conversion and load. */
MODEL (
  name @{client}_staging.stg_conversions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (conversion_id, load_id),
  enabled @has_conversions,
  blueprints @clients()
);

SELECT
  conversion_id, /* The site's own id of the conversion */
  @salesforce_id(customer_id) AS customer_id, /* Who converted; NULL if unknown */
  @utc_by(converted_at, @timezone) AS converted_at, /* UTC */
  revenue::DECIMAL(18, 6) AS revenue, /* In its currency, as exact as delivered; negative for a refund */
  COALESCE(currency, @currency) AS currency, /* Of the revenue: the client's where the site does not say */
  is_deleted, /* True once a full export lacks the conversion */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, web, conversions, (conversion_id, customer_id, converted_at, revenue, currency))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1
