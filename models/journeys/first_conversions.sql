/* Which conversion of a customer is the first of its type, where only the first counts, each time that changed. One row per customer, type and change. */
MODEL (
  name @{client}_journeys.first_conversions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (first_of, conversion_type, loaded_at),
  enabled @has_first_conversions,
  blueprints @clients()
);

WITH changed AS (
  /* whose a changed conversion is, and whose it ever was */
  SELECT DISTINCT
    versions.first_of,
    versions.conversion_type,
    changes.loaded_at
  FROM @{client}_journeys.conversion_versions AS changes
  JOIN @{client}_journeys.conversion_versions AS versions
    ON changes.conversion_id = versions.conversion_id
    AND changes.loaded_at >= versions.loaded_at
  WHERE
    changes.loaded_at BETWEEN @start_ts AND @end_ts AND NOT versions.first_of IS NULL
), moments AS (
  /* evaluate at each load and just before the first, so that computing days together or alone gives the same rows */
  SELECT DISTINCT
    first_of,
    conversion_type,
    UNNEST([loaded_at, @start_ts::TIMESTAMP - INTERVAL '1' MICROSECOND]) AS at
  FROM changed
), firsts AS (
  SELECT
    moments.*,
    candidates.conversion_id
  FROM moments
  LEFT JOIN @history(@{client}_journeys.conversion_versions, conversion_id) AS candidates
    ON moments.first_of = candidates.first_of
    AND moments.conversion_type = candidates.conversion_type
    AND moments.at >= candidates.valid_from
    AND moments.at < candidates.valid_until
    AND NOT candidates.is_withdrawn
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY moments.first_of, moments.conversion_type, moments.at
      ORDER BY candidates.converted_at, candidates.conversion_id
    ) = 1
), steps AS (
  SELECT
    *,
    LAG(conversion_id) OVER (PARTITION BY first_of, conversion_type ORDER BY at) AS conversion_before
  FROM firsts
)
SELECT
  first_of, /* The customer, or the account where journeys are those of accounts */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  conversion_id, /* The earliest one; NULL once there is none */
  conversion_before, /* The one that it takes the place of; NULL if it is the first to be known */
  at AS loaded_at /* When the version that decides it was committed, UTC */
FROM steps
WHERE
  conversion_id IS DISTINCT FROM conversion_before AND at BETWEEN @start_ts AND @end_ts
