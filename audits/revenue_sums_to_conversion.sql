AUDIT (
  name revenue_sums_to_conversion,
  dialect duckdb
);

/* The attributed revenue of each conversion, over its touchpoints, is its revenue: to the cent. */
SELECT
  conversion_id,
  MAX(revenue) AS revenue,
  SUM(attributed_revenue) AS attributed_revenue
FROM @this_model
GROUP BY
  conversion_id
HAVING
  SUM(attributed_revenue) IS DISTINCT FROM MAX(revenue)