/* What is to be known of refunds: they have no conversion, are in another currency, or are of more than it was worth. One row. */
MODEL (
  name @{client}_marts.refunds_amiss,
  kind EMBEDDED,
  grain warnings,
  enabled @has_refunds,
  blueprints @clients()
);

WITH judged AS (
  SELECT
    refunds.conversion_id,
    CASE
      WHEN conversions.conversion_id IS NULL
      THEN 'is of no conversion that was delivered, and waits for it'
      WHEN COALESCE(refunds.currency, original_currency) <> original_currency
      THEN 'is in another currency than the conversion, and is not taken off: export the amount in that currency'
      WHEN original_revenue + refunded >= 0 AND original_revenue < 0
      THEN 'is of more than the conversion was worth, whose revenue is below 0 now'
    END AS problem
  FROM @newest(@{client}_journeys.refunds, conversion_id) AS refunds
  LEFT JOIN @newest(@{client}_journeys.conversions, conversion_id) AS conversions
    ON refunds.conversion_id = conversions.conversion_id
  WHERE
    given_back > 0 OR is_whole
), counted AS (
  SELECT
    problem,
    COUNT(*) AS conversions,
    MIN(conversion_id) AS example
  FROM judged
  WHERE
    NOT problem IS NULL
  GROUP BY
    problem
)
SELECT
  @listed(
    CONCAT(
      'web.refunds: what was given back of ',
      example,
      CASE WHEN conversions > 1 THEN CONCAT(', and of ', conversions - 1, ' more, ') ELSE ' ' END,
      problem
    ),
    '; '
  ) AS warnings /* By what is the matter, with an example; NULL if nothing is */
FROM counted
