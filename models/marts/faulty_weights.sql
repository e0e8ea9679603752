/* What is wrong with the weights of the client's own models, on the touchpoints of the paths that hold now. One row. */
MODEL (
  name @{client}_marts.faulty_weights,
  kind EMBEDDED,
  enabled @has_own_weights,
  grain faulty_weights,
  blueprints @clients()
);

WITH weighed AS (
  SELECT
    conversion_id,
    position,
    UNNEST(@SQL(@own_faults)) AS weight /* such as [{'model': 'mine', 'fault': CASE WHEN … THEN 'is negative' END}] */
  FROM @{client}_journeys.current_paths AS paths
  WHERE
    NOT touchpoint_id IS NULL
), faulty AS (
  SELECT
    weight.model,
    weight.fault,
    COUNT(*) AS touchpoints,
    MIN(CONCAT(conversion_id, ' at position ', position)) AS example
  FROM weighed
  WHERE
    NOT weight.fault IS NULL
  GROUP BY
    weight.model,
    weight.fault
)
SELECT
  @listed(CONCAT(model, ' ', fault, ' on ', touchpoints, ' touchpoints, such as of conversion ', example), '; ') AS faulty_weights /* By model and fault, how many touchpoints, and one of them; NULL if there are none */
FROM faulty
