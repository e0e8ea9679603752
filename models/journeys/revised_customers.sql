/* Whose touchpoints count for a revised conversion. One row per conversion, customer and revision. */
MODEL (
  name @{client}_journeys.revised_customers,
  kind EMBEDDED,
  grain (conversion_id, customer_id, revised_at),
  blueprints @clients()
);

SELECT DISTINCT
  revised_conversions.conversion_id, /* The conversion being explained */
  revised_conversions.conversion_type, /* deal, purchase, site, or what the client calls the event */
  revised_conversions.converted_at, /* UTC */
  customers.customer_id, /* Its customer, or where journeys are those of accounts, a member */
  revised_conversions.revised_at /* Of the revision, UTC; the newest one holds */
FROM @{client}_journeys.revised_conversions AS revised_conversions
JOIN @{client}_journeys.conversion_customers AS customers
  ON revised_conversions.conversion_id = customers.conversion_id
  AND revised_conversions.revised_at >= customers.valid_from
  AND revised_conversions.revised_at < customers.valid_until
WHERE
  NOT revised_conversions.is_withdrawn AND NOT customers.customer_id IS NULL