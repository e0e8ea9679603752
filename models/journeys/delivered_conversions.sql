/* Every version of every conversion, as its source delivers it, with the rule that leaves the row out: won deals, purchases, what the site itself exports, and events that the client calls so. One row per conversion and load. */
MODEL (
  name @{client}_journeys.delivered_conversions,
  kind EMBEDDED,
  grain (conversion_id, loaded_at),
  blueprints @clients()
);

@union_all(
  (
    account_id := TEXT,
    opened_at := TIMESTAMP,
    milestone_1 := TIMESTAMP,
    milestone_2 := TIMESTAMP,
    milestone_3 := TIMESTAMP
  ),
  (
    SELECT
      opportunity_id AS conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
      'deal' AS conversion_type, /* deal, purchase, site, or what the client calls the event */
      customer_id, /* Whose touchpoints count; NULL if unknown */
      COALESCE(account_id, customer_id) AS account_id, /* The deal's account, or its customer where the CRM names none; NULL for other conversions */
      opened_at, /* When the opportunity was made, UTC; NULL if unknown */
      milestone_1, /* A date of the client's own, UTC; NULL if not reached */
      milestone_2, /* The same, another */
      milestone_3, /* The same, another */
      closed_at AS converted_at, /* UTC; NULL while a deal is open */
      COALESCE(amount, 0) AS revenue, /* The amount in the source; 0 where it has none */
      currency, /* Of the amount in the source */
      is_deleted OR NOT is_won AS is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
      @SQL(@excluded_deals) AS excluded_by, /* such as CASE WHEN LOWER(stage) IN ('demo') THEN CONCAT('stage: ', stage) END */
      loaded_at /* When this version was committed, UTC */
    FROM @{client}_staging.stg_opportunities
  ),
  (
    SELECT
      conversion_id,
      conversion_type,
      customer_id,
      converted_at,
      revenue,
      currency,
      is_withdrawn,
      excluded_by,
      loaded_at
    FROM @{client}_journeys.event_conversions
  ),
  (
    SELECT
      conversion_id,
      'site' AS conversion_type,
      customer_id,
      converted_at,
      revenue,
      currency,
      is_deleted AS is_withdrawn,
      @SQL(@excluded_sales) AS excluded_by,
      loaded_at
    FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions
  )
)