AUDIT (
  name weights_are_numbers,
  dialect duckdb
);

/* Every weight by a model of the client's own is a number from 0 on, or NULL, on every touchpoint that counts. */
SELECT
  client,
  faulty_weights,
  'correct attribution.custom, as by GREATEST(..., 0) or a divisor of GREATEST(..., 1), then make preview and make promote' AS remedy
FROM @this_model
WHERE
  NOT faulty_weights IS NULL