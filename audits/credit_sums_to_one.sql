AUDIT (
  name credit_sums_to_one,
  dialect duckdb
);

/* The credit of each conversion, over its touchpoints, is 1. */
SELECT
  conversion_id,
  SUM(credit) AS credit
FROM @this_model
GROUP BY
  conversion_id
HAVING
  NOT COALESCE(ABS(SUM(credit) - 1) <= 1e-9 AND MIN(credit) >= 0, FALSE)