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
  rows_staged,
  CASE
    WHEN NOT first_day IS NULL
    THEN CONCAT(
      'loads before start: are not read, write start: ',
      first_day,
      ' in the client''s file'
    )
    ELSE 'if the source is new in the client''s file, make promote it'
  END AS remedy
FROM @this_model
WHERE
  rows_loaded <> rows_staged