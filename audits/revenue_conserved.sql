AUDIT (
  name revenue_conserved,
  dialect duckdb
);

/* Attributed and unattributed revenue are together the sources', to the cent, over the same conversions; of each type. */
SELECT
  client,
  conversions,
  credited_conversions,
  revenue,
  attributed_revenue,
  unattributed_revenue,
  mismatched_types
FROM @this_model
WHERE
  revenue <> attributed_revenue + unattributed_revenue
  OR conversions <> credited_conversions
  OR NOT mismatched_types IS NULL