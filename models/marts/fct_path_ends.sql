/* Where each conversion's path begins and ends, whatever the client's model. One row per conversion of a type that counts. */
MODEL (
  name @{client}_marts.fct_path_ends,
  kind FULL,
  grain conversion_id,
  enabled @publishes_path_ends,
  blueprints @clients(),
  audits (
    unique_rows(columns := (
      conversion_id
    ))
  )
);

WITH newest_revisions AS (
  SELECT
    conversion_id,
    MAX(revised_at) AS revised_at
  FROM @{client}_journeys.revisions
  GROUP BY
    conversion_id
)
SELECT
  paths.conversion_id, /* A purchase or a won deal */
  paths.customer_id, /* NULL if unknown */
  paths.converted_at, /* UTC */
  paths.revenue, /* In the client's currency */
  COALESCE(MAX(channel) FILTER(WHERE
    position = 1), 'unattributed') AS first_channel, /* Of the first touchpoint; unattributed where there is none */
  MIN(touched_at) AS first_touched_at, /* UTC; NULL where there is no touchpoint */
  COALESCE(MAX(channel) FILTER(WHERE
    position = path_length), 'unattributed') AS last_channel, /* Of the last touchpoint; unattributed where there is none */
  MAX(touched_at) AS last_touched_at /* UTC; NULL where there is no touchpoint */
FROM @{client}_journeys.paths AS paths
JOIN newest_revisions
  ON paths.conversion_id = newest_revisions.conversion_id
  AND paths.revised_at = newest_revisions.revised_at
WHERE
  @SQL(@is_counted)
GROUP BY
  paths.conversion_id,
  paths.customer_id,
  paths.converted_at,
  paths.revenue