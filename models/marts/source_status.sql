/* The status of each of the client's sources after it was last ingested. One row per source. */
MODEL (
  name @{client}_marts.source_status,
  kind FULL,
  grain source,
  blueprints @clients()
);

WITH loads AS (
  SELECT
    source,
    MAX(loaded_at) AS loaded_until
  FROM @ledger(@client)
  GROUP BY
    source
)
SELECT
  statuses.source, /* As the client's file names it, such as google_ads */
  statuses.code, /* ok; refused or failed, which hold the client; stale, where its data is old; or why the source is late, as rate_limited */
  statuses.problem, /* What is wrong and its remedy; NULL if nothing is */
  statuses.retry_at, /* When the platform may be asked again, UTC; NULL where that is not known */
  statuses.days_missing, /* Days up to yesterday that the log lacks */
  statuses.missing_from, /* The first of them, in the account's time zone; NULL without any */
  statuses.newest_day, /* The newest day of data, in the client's time zone; NULL where rows are of no day */
  statuses.warnings, /* What looks wrong in the data and holds nobody; NULL if nothing does */
  loads.loaded_until /* When the newest load was committed, UTC; NULL before the first */
FROM @statuses(@client) AS statuses
LEFT JOIN loads
  ON statuses.source = loads.source