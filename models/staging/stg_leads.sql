/* Every version of every lead, as it was committed. One row per lead and load. */
MODEL (
  name @{client}_staging.stg_leads,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (lead_id, load_id),
  enabled @has_leads,
  blueprints @clients()
);

SELECT
  @salesforce_id(lead_id) AS lead_id, /* The CRM's id */
  @utc_by(created_at, @timezone) AS created_at, /* When the lead was made, UTC */
  email, /* As the CRM has it; NULL if unknown */
  @salesforce_id(converted_account_id) AS converted_account_id, /* The account it was converted to; NULL while it is a lead */
  @salesforce_id(converted_contact_id) AS converted_contact_id, /* The contact it became */
  @salesforce_id(converted_opportunity_id) AS converted_opportunity_id, /* The deal made with it; NULL if none was */
  is_deleted, /* True once the CRM says so, or a full export lacks the lead */
  COUNT(DISTINCT row_key) OVER (PARTITION BY @salesforce_id(lead_id), load_id) AS rows_in_load, /* Rows of the load under this id: more than 1 where they came in both of Salesforce's forms of it */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, salesforce, leads, (lead_id, created_at, email, converted_account_id, converted_contact_id, converted_opportunity_id))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY @salesforce_id(lead_id), load_id ORDER BY ordinal DESC) = 1
