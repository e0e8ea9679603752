/* What is loaded, halted, late or without consent, over all of the client's sources. One row. */
MODEL (
  name @{client}_marts.source_health,
  kind EMBEDDED,
  grain loaded_until,
  blueprints @clients()
);

WITH loads AS (
  SELECT
    MAX(loaded_until) AS loaded_until
  FROM @{client}_staging.stg_load_counts
), statuses AS (
  SELECT
    @listed(CONCAT(source, ': ', problem), '; ', code IN ('refused', 'failed')) AS halted_sources,
    @listed(CONCAT(source, ': ', code), '; ', NOT code IN ('ok', 'refused', 'failed')) AS late_sources
  FROM @{client}_marts.source_status
), consent AS (
  SELECT
    COUNT(CASE WHEN NOT is_deleted AND NOT consent THEN 1 END) AS sessions_without_consent
  FROM @newest(@{client}_staging.stg_sessions, session_id) AS sessions
)
SELECT
  loads.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  statuses.halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  statuses.late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  consent.sessions_without_consent /* Sessions that enter no path, because their visitor refused or withdrew consent */
FROM loads
CROSS JOIN statuses
CROSS JOIN consent