AUDIT (
  name credit_sums_to_one,
  dialect duckdb
);

/* The credit of each conversion, over its touchpoints, by each additive model, is 1. */
SELECT
  conversion_id,
  model,
  SUM(credit) AS credit
FROM @this_model
WHERE
  is_additive
GROUP BY
  conversion_id,
  model
HAVING
  NOT COALESCE(ABS(SUM(credit) - 1) <= 1e-9 AND MIN(credit) >= 0, FALSE)