AUDIT (
  name revenue_sums_to_conversion,
  dialect duckdb
);

/* The attributed revenue of each conversion, over its touchpoints, by each additive model, is its revenue: to the cent. */
SELECT
  conversion_id,
  model,
  MAX(revenue) AS revenue,
  SUM(attributed_revenue) AS attributed_revenue
FROM @this_model
WHERE
  is_additive
GROUP BY
  conversion_id,
  model
HAVING
  SUM(attributed_revenue) IS DISTINCT FROM MAX(revenue)