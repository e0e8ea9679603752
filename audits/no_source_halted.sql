AUDIT (
  name no_source_halted,
  dialect duckdb
);

/* The last delivery of every source was taken; otherwise yesterday's numbers stay published. */
SELECT
  client,
  halted_sources
FROM @this_model
WHERE
  NOT halted_sources IS NULL