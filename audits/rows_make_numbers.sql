AUDIT (
  name rows_make_numbers,
  dialect duckdb
);

/* Of the rows that hold conversions or spend, something is published; a client without any such row may be empty. */
SELECT
  client,
  fruitless_rows,
  CONCAT(
    'no conversion and no spend is made of them: ',
    CASE
      WHEN over_excluded IS NULL
      THEN 'correct start:, columns: or conversions:'
      ELSE CONCAT('exclude: leaves out more than half of ', over_excluded, '; correct it')
    END,
    ', or write quality: {may_be_empty: true} if nothing is sold yet'
  ) AS remedy
FROM @this_model
WHERE
  NOT fruitless_rows IS NULL