/* When the CRM changed what it says of a conversion's people or leads, so that its credit may change. One row per conversion and time. */
MODEL (
  name @{client}_journeys.crm_changes,
  kind VIEW,
  grain (conversion_id, loaded_at),
  enabled @has_leads,
  blueprints @clients()
);

WITH seen_customers AS (
  SELECT
    customer_id,
    MIN(loaded_at) AS seen_at
  FROM @owners(@{client}_journeys.owned_touchpoints) AS owned
  GROUP BY
    customer_id
)
SELECT DISTINCT
  facts.conversion_id, /* The deal or purchase */
  facts.loaded_at /* When the version that changes it was committed, UTC */
FROM @{client}_journeys.crm_facts AS facts
LEFT JOIN seen_customers
  ON facts.customer_id = seen_customers.customer_id
  AND facts.loaded_at >= seen_customers.seen_at
WHERE
  facts.loaded_at < '9999-12-31'
  AND (
    facts.customer_id IS NULL OR NOT seen_customers.customer_id IS NULL
  )
