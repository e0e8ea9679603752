AUDIT (
  name money_priced,
  dialect duckdb
);

/* All money is told in the client's currency; what waits for a rate holds back all, rather than count as nothing. */
SELECT
  client,
  unpriced,
  'deliver sources.rates, of the day or the seven before' AS remedy
FROM @this_model
WHERE
  NOT unpriced IS NULL