AUDIT (
  name rows_accounted_for,
  dialect duckdb
);

/* Every row of a committed load is staged: of no table is one lost, and none is doubled. */
SELECT
  client,
  source,
  table_name,
  rows_loaded,
  rows_staged
FROM @this_model
WHERE
  rows_loaded <> rows_staged