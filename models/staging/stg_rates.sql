/* Every version of every exchange rate, as it was committed. One row per day, currency and load. */
MODEL (
  name @{client}_staging.stg_rates,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (rate_id, load_id),
  enabled @has_rates,
  blueprints @clients()
);

SELECT
  row_key AS rate_id, /* A hash of day and currency */
  rate_date::DATE AS rate_date, /* The day from which it holds */
  currency, /* What the rate is the price of */
  rate::DECIMAL(18, 9) AS rate, /* Units of the client's currency for one of this */
  is_deleted, /* True once a full export lacks the rate */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, rates, rates, (rate_date, currency, rate))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1
