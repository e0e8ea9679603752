AUDIT (
  name rows_accounted_for,
  dialect duckdb
);

/* Every row of a committed load is staged: none is lost, none is doubled. */
SELECT
  client,
  rows_loaded,
  rows_staged
FROM @this_model
WHERE
  rows_loaded <> rows_staged