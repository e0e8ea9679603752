/* Where each conversion's path begins and ends, whatever the client's model. One row per conversion of a type that counts. */
MODEL (
  name @{client}_marts.fct_path_ends,
  kind FULL,
  grain conversion_id,
  enabled @publishes_path_ends,
  blueprints @clients(),
  audits (
    unique_combination_of_columns(columns := (
      conversion_id
    ))
  )
);

SELECT
  conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  customer_id, /* NULL if unknown */
  converted_at, /* UTC */
  revenue, /* In the client's currency */
  COALESCE(MAX(channel) FILTER(WHERE
    position = 1), 'unattributed') AS first_channel, /* Of the first touchpoint; unattributed where there is none */
  MIN(touched_at) AS first_touched_at, /* UTC; NULL where there is no touchpoint */
  COALESCE(MAX(channel) FILTER(WHERE
    position = path_length), 'unattributed') AS last_channel, /* Of the last touchpoint; unattributed where there is none */
  MAX(touched_at) AS last_touched_at /* UTC; NULL where there is no touchpoint */
FROM @{client}_journeys.current_paths
WHERE
  @SQL(@is_counted)
GROUP BY
  conversion_id,
  customer_id,
  converted_at,
  revenue