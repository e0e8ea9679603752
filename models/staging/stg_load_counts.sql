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
  FROM @staged_rows(@client, @staged_tables) AS staged_rows
), loaded AS (
  SELECT
    COALESCE(SUM(rows_appended - rows_superseded + rows_deleted), 0) AS rows_loaded
  FROM @ledger(@client)
  WHERE
    ARRAY_CONTAINS(STR_SPLIT(@staged_tables, ' '), table_name)
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