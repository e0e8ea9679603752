AUDIT (
  name touches_precede_conversions,
  dialect duckdb
);

/* No touchpoint comes after its conversion, or before the window: @days days of 24 hours. */
SELECT
  *
FROM @this_model
WHERE
  touched_at > converted_at OR touched_at < converted_at - @days * INTERVAL '1' DAY