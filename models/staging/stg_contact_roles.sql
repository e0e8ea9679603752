/* Every version of every contact's role on a deal, as it was committed. One row per contact's role on a deal and load. */
MODEL (
  name @{client}_staging.stg_contact_roles,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (contact_role_id, load_id),
  enabled @has_contact_roles,
  blueprints @clients()
);

SELECT
  @salesforce_id(contact_role_id) AS contact_role_id, /* The CRM's id */
  @salesforce_id(opportunity_id) AS opportunity_id, /* The deal */
  @salesforce_id(contact_id) AS contact_id, /* Who has the role */
  role, /* As the client names it; NULL if the CRM has none */
  is_primary::BOOLEAN AS is_primary, /* At most one of a deal */
  is_deleted, /* True once the CRM says so, or a full export lacks the contact's role on a deal */
  COUNT(DISTINCT row_key) OVER (PARTITION BY @salesforce_id(contact_role_id), load_id) AS rows_in_load, /* Rows of the load under this id: more than 1 where they came in both of Salesforce's forms of it */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, salesforce, contact_roles, (contact_role_id, opportunity_id, contact_id, role, is_primary))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY @salesforce_id(contact_role_id), load_id ORDER BY ordinal DESC) = 1
