/* Every version of every contact, as it was committed. One row per contact and load. */
MODEL (
  name @{client}_staging.stg_contacts,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (contact_id, load_id),
  enabled @has_contacts,
  blueprints @clients()
);

SELECT
  @salesforce_id(contact_id) AS contact_id, /* The CRM's id */
  @salesforce_id(account_id) AS account_id, /* The account the contact belongs to; NULL if none */
  email, /* As the CRM has it; NULL if unknown */
  is_deleted, /* True once the CRM says so, or a full export lacks the contact */
  COUNT(DISTINCT row_key) OVER (PARTITION BY @salesforce_id(contact_id), load_id) AS rows_in_load, /* Rows of the load under this id: more than 1 where they came in both of Salesforce's forms of it */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, salesforce, contacts, (contact_id, account_id, email))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY @salesforce_id(contact_id), load_id ORDER BY ordinal DESC) = 1
