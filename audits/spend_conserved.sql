AUDIT (
  name spend_conserved,
  dialect duckdb
);

/* Reported spend is that of the platforms and of the sessions, to the last digit. */
SELECT
  client,
  spend,
  reported_spend
FROM @this_model
WHERE
  spend <> reported_spend