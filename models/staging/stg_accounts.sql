/* The rows that ingest says it loaded, beside those that are staged. One row. */
MODEL (
  name @{client}_staging.stg_accounts,
  kind FULL,
  grain (
    client
  ),
  blueprints @clients(),
  audits (
    rows_accounted_for
  )
);

WITH staged AS (
  SELECT
    COUNT(*) AS rows_staged,
    MAX(loaded_at) AS loaded_until
  FROM (
    SELECT
      loaded_at
    FROM @{client}_staging.stg_sessions
    UNION ALL
    SELECT
      loaded_at
    FROM @{client}_staging.stg_events
    UNION ALL
    SELECT
      loaded_at
    FROM @{client}_staging.stg_opportunities
    UNION ALL
    SELECT
      loaded_at
    FROM @{client}_staging.stg_ad_spend
    UNION ALL
    SELECT
      loaded_at
    FROM @optional(@has_clients, @client, staging.stg_clients) AS clients
    UNION ALL
    SELECT
      loaded_at
    FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions
    UNION ALL
    SELECT
      loaded_at
    FROM @optional(@has_session_costs, @client, staging.stg_session_costs) AS session_costs
  ) AS staged_rows
), loaded AS (
  SELECT
    COALESCE(SUM(rows_appended - rows_superseded + rows_deleted), 0) AS rows_loaded
  FROM @ledger(@client)
  WHERE
    (
      table_name IN ('sessions', 'events', 'opportunities', 'spend')
      OR (
        @has_clients AND table_name = 'clients'
      )
      OR (
        @has_conversions AND table_name = 'conversions'
      )
      OR (
        @has_session_costs AND table_name = 'session_costs'
      )
    )
    AND loaded_at <= (
      SELECT
        loaded_until
      FROM staged
    )
)
SELECT
  @client_name AS client, /* The client's name in schemas and files */
  staged.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  loaded.rows_loaded, /* Rows of the loads committed until then, less those superseded within their load */
  staged.rows_staged /* Rows of the staging tables */
FROM staged
CROSS JOIN loaded