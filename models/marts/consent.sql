/* How many sessions enter no path, because their visitor refused or withdrew consent. One row. */
MODEL (
  name @{client}_marts.consent,
  kind FULL,
  grain sessions_without_consent,
  blueprints @clients()
);

SELECT
  COUNT(CASE WHEN NOT is_deleted AND NOT consent THEN 1 END) AS sessions_without_consent /* Sessions that enter no path, because their visitor refused or withdrew consent */
FROM @newest(@{client}_staging.stg_sessions, session_id) AS sessions