AUDIT (
  name revenue_sums_to_conversion,
  dialect duckdb
);

/* The attributed revenue of each conversion, over its touchpoints, by each model, is its revenue: to the cent. Where a model is not additive, that of each channel is. */
SELECT
  conversion_id,
  model,
  CASE WHEN NOT is_additive THEN channel END AS whole_of,
  MAX(revenue) AS revenue,
  SUM(attributed_revenue) AS attributed_revenue
FROM @this_model
GROUP BY
  conversion_id,
  model,
  whole_of
HAVING
  SUM(attributed_revenue) IS DISTINCT FROM MAX(revenue)