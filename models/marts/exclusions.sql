/* How many touchpoints and conversions each rule of the client's `exclude` leaves out now. One row per rule, with the value that it met, and what it leaves out. */
MODEL (
  name @{client}_marts.exclusions,
  kind FULL,
  grain (rule, left_out),
  enabled @has_exclusions,
  blueprints @clients()
);

WITH known AS (
  SELECT
    'touchpoints' AS left_out,
    excluded_by
  FROM @newest(@{client}_journeys.touchpoints, touchpoint_id) AS touchpoints
  WHERE
    NOT is_deleted OR NOT excluded_by IS NULL
  UNION ALL
  SELECT
    'conversions' AS left_out,
    excluded_by
  FROM @newest(@{client}_journeys.conversions, conversion_id) AS conversions
  WHERE
    NOT is_withdrawn OR NOT excluded_by IS NULL
), counted AS (
  SELECT
    excluded_by AS rule,
    left_out,
    COUNT(*) AS rows_left_out,
    SUM(COUNT(*)) OVER (PARTITION BY left_out) AS rows_in_all
  FROM known
  GROUP BY
    excluded_by,
    left_out
)
SELECT
  rule, /* Its column and value, such as customer_id: qa-1 */
  left_out, /* touchpoints or conversions */
  rows_left_out::BIGINT AS rows_left_out, /* Touchpoints or conversions that do not count */
  rows_in_all::BIGINT AS rows_in_all /* Of all, those that count and those that are left out */
FROM counted
WHERE
  NOT rule IS NULL
