/* Every version of every refund, as it was committed. One row per refund and load. */
MODEL (
  name @{client}_staging.stg_refunds,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (refund_id, load_id),
  enabled @has_refunds,
  blueprints @clients()
);

SELECT
  row_key AS refund_id, /* The refund's own id; of one without it, a hash of its order, time and amount as they were written */
  COALESCE(
    refund_id,
    CONCAT_WS(
      ' ',
      COALESCE(@utc_by(refunded_at, @timezone)::TEXT, 'some time'),
      COALESCE(ABS(amount::DECIMAL(18, 6))::TEXT, 'all')
    )
  ) AS same_as, /* Rows of one conversion that have this in common are one refund, however its time and amount are written */
  conversion_id, /* The order, purchase or deal of which money was given back */
  @utc_by(refunded_at, @timezone) AS refunded_at, /* UTC; the last second of a day without an hour; NULL if unknown */
  ABS(amount::DECIMAL(18, 6)) AS amount, /* What was given back, 0 or more, in its currency; NULL where it is the whole order */
  currency, /* Of the amount; NULL where it is that of the order */
  is_deleted, /* True once a full export lacks the refund */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, web, refunds, (refund_id, conversion_id, refunded_at, amount, currency))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1
