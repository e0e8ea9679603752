/* The rows that ingest says it loaded, beside those that are staged. One row per source and table of the log. */
MODEL (
  name @{client}_staging.stg_load_counts,
  kind FULL,
  grain (source, table_name),
  blueprints @clients(),
  audits (
    rows_accounted_for
  )
);

WITH loaded AS (
  SELECT
    source,
    table_name,
    SUM(rows_appended + rows_nobody - rows_superseded + rows_deleted) AS rows_loaded,
    SUM(rows_nobody + rows_erased) AS rows_erased,
    MIN(CASE WHEN loaded_at < @start::DATE THEN loaded_at END)::DATE AS first_day
  FROM @ledger(@client)
  WHERE
    loaded_at < @run_began()
    AND NOT CONCAT(source, '.', table_name) IN @unstaged_tables(@staging_models)
  GROUP BY
    source,
    table_name
), staged AS (
  SELECT
    source,
    table_name,
    SUM(CASE WHEN loaded_at < @run_began() THEN row_count ELSE 0 END)::BIGINT AS rows_staged,
    MAX(loaded_at) AS loaded_until
  FROM @staged_rows(@client, @staging_models) AS staged_rows
  GROUP BY
    source,
    table_name
)
SELECT
  @client_name AS client, /* The client's name in schemas and files */
  source, /* As the client's file names it, such as google_ads */
  table_name, /* The source's table, such as spend */
  COALESCE(loaded.rows_loaded, 0)::BIGINT AS rows_loaded, /* Rows of the loads that this run sees, less those superseded within their load */
  COALESCE(loaded.rows_erased, 0)::BIGINT AS rows_erased, /* Rows that named somebody who was erased, or were too old to name anybody: left out, or staged and standing for nobody */
  COALESCE(staged.rows_staged, 0) AS rows_staged, /* Rows of these loads that the staging model stands for */
  loaded.first_day, /* UTC, of the first load, where it is before the client's start and so is not read; NULL where none is */
  staged.loaded_until /* When the newest staged row was committed, UTC; NULL if none is staged */
FROM loaded
FULL JOIN staged
  USING (source, table_name)