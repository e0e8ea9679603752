/* What was given back of a conversion, each time that changed. One row per conversion and change. */
MODEL (
  name @{client}_journeys.refunds,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (conversion_id, loaded_at),
  enabled @has_refunds,
  blueprints @clients()
);

WITH changed AS (
  /* of which conversion a changed refund is, and of which it ever was */
  SELECT DISTINCT
    versions.conversion_id,
    changes.loaded_at AS at
  FROM @{client}_staging.stg_refunds AS changes
  JOIN @{client}_staging.stg_refunds AS versions
    ON changes.refund_id = versions.refund_id AND changes.loaded_at >= versions.loaded_at
  WHERE
    changes.loaded_at BETWEEN @start_ts AND @end_ts
), known AS (
  /* what was written in two ways, such as 30 and 30.00, is given back once */
  SELECT DISTINCT
    changed.conversion_id,
    changed.at,
    refunds.same_as,
    refunds.amount,
    refunds.currency,
    refunds.refunded_at
  FROM changed
  LEFT JOIN @history(@{client}_staging.stg_refunds, refund_id) AS refunds
    ON changed.conversion_id = refunds.conversion_id
    AND changed.at >= refunds.valid_from
    AND changed.at < refunds.valid_until
    AND NOT refunds.is_deleted
)
SELECT
  conversion_id, /* The order, purchase or deal; there may be none of this id */
  COALESCE(SUM(amount), 0)::DECIMAL(18, 6) AS given_back, /* Known until then, in `currency` */
  BOOL_OR(NOT same_as IS NULL AND amount IS NULL) AS is_whole, /* One of the refunds is of the whole order */
  CASE
    WHEN MIN(currency) = MAX(currency)
    THEN MIN(currency)
    WHEN NOT MIN(currency) IS NULL
    THEN 'several'
  END AS currency, /* Of the refunds; NULL where none says another than the order's, several where they differ */
  MAX(refunded_at) AS refunded_at, /* When the last one was, UTC; NULL if unknown */
  at AS loaded_at /* When the version that decides it was committed, UTC */
FROM known
GROUP BY
  conversion_id,
  at
