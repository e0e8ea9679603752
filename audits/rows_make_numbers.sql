AUDIT (
  name rows_make_numbers,
  dialect duckdb
);

/* Of the rows that hold conversions or spend, something is published; a client without any such row may be empty. */
SELECT
  client,
  fruitless_rows,
  'no conversion and no spend is made of them: correct start:, columns:, conversions: or exclude:, or write quality: {may_be_empty: true} if nothing is sold yet' AS remedy
FROM @this_model
WHERE
  NOT fruitless_rows IS NULL