/* What is there to be published, and the rows that it was to come from. One row. */
MODEL (
  name @{client}_marts.publishable,
  kind EMBEDDED,
  grain is_empty,
  blueprints @clients()
);

WITH loaded AS (
  SELECT
    @listed(CONCAT(source, '.', table_name, ' ', rows_staged), ', ', rows_staged > 0) AS rows_loaded
  FROM @{client}_staging.stg_load_counts
  WHERE
    table_name IN ('opportunities', 'events', 'conversions', 'spend', 'session_costs')
), conversions AS (
  SELECT
    COUNT(*) AS count
  FROM @{client}_marts.conversion_totals
), campaigns AS (
  SELECT
    COUNT(*) AS count
  FROM @{client}_marts.fct_campaigns
)
SELECT
  conversions.count + campaigns.count = 0 AS is_empty, /* There is neither a conversion nor spend */
  loaded.rows_loaded /* Of the tables that hold conversions and spend, how many rows were loaded; NULL if none */
FROM loaded
CROSS JOIN conversions
CROSS JOIN campaigns