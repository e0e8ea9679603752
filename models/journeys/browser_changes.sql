/* When touchpoints of a browser changed on which a customer was ever seen. One row per visitor and load. */
MODEL (
  name @{client}_journeys.browser_changes,
  kind EMBEDDED,
  grain (visitor_id, loaded_at),
  blueprints @clients()
);

SELECT
  versions.visitor_id, /* The browser, by its cookie; NULL where unknown */
  BOOL_OR(CAST(NOT versions.customer_id IS NULL AS BOOLEAN)) AS tells, /* One of the touchpoints says who it was, or did before */
  changes.loaded_at /* When this version was committed, UTC */
FROM @{client}_journeys.touchpoints AS changes
JOIN @{client}_journeys.touchpoints AS versions
  ON changes.touchpoint_id = versions.touchpoint_id
  AND changes.loaded_at >= versions.loaded_at
WHERE
  versions.visitor_id IN (
    SELECT
      visitor_id
    FROM @{client}_journeys.touchpoints
    WHERE
      NOT customer_id IS NULL
  )
GROUP BY
  versions.visitor_id,
  changes.loaded_at