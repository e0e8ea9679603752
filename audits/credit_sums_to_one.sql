AUDIT (
  name credit_sums_to_one,
  dialect duckdb
);

/* The credit of each conversion, over its touchpoints, by each model, is 1. Where a model is not additive, that of each channel is. */
SELECT
  conversion_id,
  model,
  CASE WHEN NOT is_additive THEN channel END AS whole_of,
  SUM(credit) AS credit
FROM @this_model
GROUP BY
  conversion_id,
  model,
  whole_of
HAVING
  NOT COALESCE(ABS(SUM(credit) - 1) <= 1e-9 AND MIN(credit) >= 0, FALSE)