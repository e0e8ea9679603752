/* Every version of every opportunity, as it was committed. One row per opportunity and load. */
MODEL (
  name @{client}_staging.stg_opportunities,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (opportunity_id, load_id),
  blueprints @clients()
);

SELECT
  @salesforce_id(opportunity_id) AS opportunity_id, /* The CRM's id */
  @salesforce_id(customer_id) AS customer_id, /* Who the deal is with; NULL if the CRM does not say */
  @salesforce_id(account_id) AS account_id, /* The CRM's account; NULL where unknown */
  stage, /* The CRM's name of the stage */
  @utc_by(opened_at, @timezone) AS opened_at, /* When the opportunity was made, UTC; NULL if unknown */
  @utc_by(milestone_1, @timezone) AS milestone_1, /* A date of the client's own, UTC; NULL if not reached */
  @utc_by(milestone_2, @timezone) AS milestone_2, /* The same, another */
  @utc_by(milestone_3, @timezone) AS milestone_3, /* The same, another */
  is_won::BOOLEAN AS is_won, /* False again when a deal is reopened */
  @utc_by(closed_at, @timezone) AS closed_at, /* UTC; the last second of a day without an hour; NULL while open */
  amount::DECIMAL(18, 6) AS amount, /* In its currency, as exact as delivered; NULL where nobody entered it */
  COALESCE(currency, @currency) AS currency, /* Of the amount: the client's where the CRM does not say */
  is_deleted, /* True once the CRM says so, or a full export lacks the opportunity */
  COUNT(DISTINCT row_key) OVER (PARTITION BY @salesforce_id(opportunity_id), load_id) AS rows_in_load, /* Rows of the load under this id: more than 1 where they came in both of Salesforce's forms of it */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(
  @client,
  salesforce,
  opportunities,
  (
    opportunity_id,
    customer_id,
    account_id,
    stage,
    opened_at,
    milestone_1,
    milestone_2,
    milestone_3,
    is_won,
    closed_at,
    amount,
    currency
  )
)
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY @salesforce_id(opportunity_id), load_id ORDER BY ordinal DESC) = 1