/* When a fact of the CRM about a conversion began to hold or ended: that a customer takes part in it, or that it came of a lead. Adjacent intervals are merged, because the CRM only repeated the fact. One row per conversion, fact, and begin or end. */
MODEL (
  name @{client}_journeys.crm_facts,
  kind EMBEDDED,
  grain (conversion_id, fact, loaded_at),
  enabled @has_leads,
  blueprints @clients()
);

WITH spans AS (
  @union_all((
    fact := TEXT, customer_id := TEXT
  ), (
    SELECT
      conversion_id,
      valid_from,
      valid_until,
      'customer ' || customer_id AS fact,
      customer_id
    FROM @optional(@by_account, @client, journeys.members) AS members
  ), (
    SELECT
      conversion_id,
      valid_from,
      valid_until,
      'lead of ' || created_at AS fact
    FROM @optional(@has_lead_milestone, @client, journeys.deal_leads) AS deal_leads
  ))
), facts AS (
  SELECT
    *,
    COALESCE(valid_from > MAX(valid_until) OVER before, TRUE) AS is_news
  FROM spans
  WINDOW before AS (
    PARTITION BY conversion_id, fact
    ORDER BY valid_from, valid_until
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  )
), numbered AS (
  SELECT
    *,
    COUNT(CASE WHEN is_news THEN 1 END) OVER (
      PARTITION BY conversion_id, fact
      ORDER BY valid_from, valid_until
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS interval_number
  FROM facts
)
SELECT
  conversion_id, /* The deal or purchase */
  customer_id, /* Who takes part; NULL where the fact is about a lead */
  fact, /* Names the customer, or when the lead was made */
  UNNEST([MIN(valid_from), MAX(valid_until)]) AS loaded_at /* When the version that begins or ends it was committed, UTC; far ahead where the fact still holds */
FROM numbered
GROUP BY
  conversion_id,
  customer_id,
  fact,
  interval_number
