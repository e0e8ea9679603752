/* Every version of every customer of a shop, as it was committed. One row per customer and load. */
MODEL (
  name @{client}_staging.stg_clients,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (client_id, load_id),
  enabled @has_clients,
  blueprints @clients()
);

SELECT
  @salesforce_id(client_id) AS client_id, /* The shop's customer */
  registration_date::DATE AS registration_date, /* In the shop's time zone */
  cohort, /* Quarter of the registration, as the shop groups it */
  customer_segment, /* As the shop groups it */
  is_deleted, /* True once a full export lacks the customer */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, web, clients, (client_id, registration_date, cohort, customer_segment))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1