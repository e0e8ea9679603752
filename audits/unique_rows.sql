AUDIT (
  name unique_rows,
  dialect duckdb
);

/* No two rows share these columns: @unique_rows(columns := (date, channel)). */
SELECT
  @EACH(@columns, c -> c),
  COUNT(*) AS copies
FROM @this_model
GROUP BY
  @EACH(@columns, c -> c)
HAVING
  COUNT(*) > 1