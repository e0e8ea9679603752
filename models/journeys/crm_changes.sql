/* When the CRM said something else of a conversion's people or leads, so that its credit may change. One row per conversion and time. */
MODEL (
  name @{client}_journeys.crm_changes,
  kind VIEW,
  grain (conversion_id, loaded_at),
  enabled @has_leads,
  blueprints @clients()
);

WITH facts AS (
  SELECT
    conversion_id,
    customer_id,
    NULL::TIMESTAMP AS lead_created_at,
    valid_from,
    valid_until
  FROM @optional(@by_account, @client, journeys.members) AS members
  UNION ALL
  SELECT
    conversion_id,
    NULL::TEXT AS customer_id,
    created_at AS lead_created_at,
    valid_from,
    valid_until
  FROM @optional(@has_lead_milestone, @client, journeys.deal_leads) AS deal_leads
), judged AS (
  /* times that touch are one: the CRM only said the same again */
  SELECT
    *,
    COALESCE(valid_from > MAX(valid_until) OVER before, TRUE) AS is_news
  FROM facts
  WINDOW before AS (
    PARTITION BY conversion_id, customer_id, lead_created_at
    ORDER BY valid_from, valid_until
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
), numbered AS (
  SELECT
    *,
    COUNT(*) FILTER(WHERE is_news) OVER (
      PARTITION BY conversion_id, customer_id, lead_created_at
      ORDER BY valid_from, valid_until
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS stretch
  FROM judged
), stretches AS (
  SELECT
    conversion_id,
    customer_id,
    UNNEST([MIN(valid_from), MAX(valid_until)]) AS loaded_at
  FROM numbered
  GROUP BY
    conversion_id,
    customer_id,
    lead_created_at,
    stretch
), seen_customers AS (
  SELECT
    customer_id,
    MIN(loaded_at) AS seen_at
  FROM @{client}_journeys.owned_touchpoints
  WHERE
    NOT customer_id IS NULL
  GROUP BY
    customer_id
)
SELECT DISTINCT
  stretches.conversion_id, /* The deal or purchase */
  stretches.loaded_at /* When the version that tells was committed, UTC */
FROM stretches
LEFT JOIN seen_customers
  ON stretches.customer_id = seen_customers.customer_id
  AND stretches.loaded_at >= seen_customers.seen_at
WHERE
  stretches.loaded_at < '9999-12-31'
  AND (
    stretches.customer_id IS NULL OR NOT seen_customers.customer_id IS NULL
  )
