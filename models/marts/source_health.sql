/* How the client's sources stand, together. One row. */
MODEL (
  name @{client}_marts.source_health,
  kind EMBEDDED,
  grain (
    halted_sources
  ),
  blueprints @clients()
);

WITH loads AS (
  SELECT
    MAX(loaded_until) AS loaded_until
  FROM @{client}_staging.stg_load_counts
), consent AS (
  SELECT
    COUNT(CASE WHEN NOT is_deleted AND NOT consent THEN 1 END) AS sessions_without_consent
  FROM @newest(@{client}_staging.stg_sessions, session_id) AS sessions
), statuses AS (
  SELECT
    ARRAY_TO_STRING(
      LIST_SORT(
        ARRAY_AGG(CASE WHEN code IN ('refused', 'failed') THEN CONCAT(source, ': ', problem) END)
      ),
      '; '
    ) AS halted_sources,
    ARRAY_TO_STRING(
      LIST_SORT(
        ARRAY_AGG(
          CASE
            WHEN NOT code IN ('ok', 'refused', 'failed')
            THEN CONCAT(source, ': ', code)
          END
        )
      ),
      '; '
    ) AS late_sources
  FROM @{client}_marts.source_status
)
SELECT
  loads.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  NULLIF(halted_sources, '') AS halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  NULLIF(late_sources, '') AS late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  sessions_without_consent /* Sessions that enter no path, because their visitor refused or withdrew consent */
FROM loads
CROSS JOIN statuses
CROSS JOIN consent