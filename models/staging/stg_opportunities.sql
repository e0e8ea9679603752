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
  opportunity_id, /* The CRM's id */
  customer_id, /* The account the deal is with; NULL if the CRM does not say */
  stage, /* The CRM's name of the stage */
  is_won::BOOLEAN AS is_won, /* False again when a deal is reopened */
  @utc(closed_at, @timezone) AS closed_at, /* UTC; NULL while open */
  @money(amount) AS amount, /* In the client's currency; NULL where nobody entered it */
  is_deleted, /* True once the CRM says so, or a full export lacks the opportunity */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(
  @client,
  salesforce,
  opportunities,
  (opportunity_id, customer_id, stage, is_won, closed_at, amount)
)
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1