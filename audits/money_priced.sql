AUDIT (
  name money_priced,
  dialect duckdb
);

/* All money is in the client's currency; an amount without a rate holds everything back, rather than count as nothing. */
SELECT
  client,
  unpriced,
  'deliver sources.rates, of the day or the seven before' AS remedy
FROM @this_model
WHERE
  NOT unpriced IS NULL