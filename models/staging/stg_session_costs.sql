/* Every version of what a session cost, as it was committed. One row per session and load. */
MODEL (
  name @{client}_staging.stg_session_costs,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  start @start,
  grain (session_id, load_id),
  enabled @has_session_costs,
  blueprints @clients()
);

SELECT
  session_id, /* The site's own id of the session */
  cost::DECIMAL(18, 6) AS cost, /* In its currency, as exact as delivered; NULL where it cost nothing */
  COALESCE(currency, @currency) AS currency, /* Of the cost: the client's where the site does not say */
  is_deleted, /* True once a full export lacks the cost */
  load_id, /* The dlt load that brought this version */
  loaded_at /* When the load was committed, UTC */
FROM @raw(@client, web, session_costs, (session_id, cost, currency))
WHERE
  loaded_at BETWEEN @start_ts AND @end_ts
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY row_key, load_id ORDER BY ordinal DESC) = 1
