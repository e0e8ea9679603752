/* Ids that own more than their share of touchpoints or conversions, such as a visitor called test: they make one person of many. One row per kind of id, what it owns, and id. */
MODEL (
  name @{client}_marts.dominant_ids,
  kind FULL,
  grain (owner, owned, id),
  blueprints @clients()
);

WITH touchpoints AS (
  SELECT
    visitor_id,
    customer_id
  FROM @newest(@{client}_journeys.touchpoints, touchpoint_id) AS touchpoints
  WHERE
    NOT is_deleted AND excluded_by IS NULL
), conversions AS (
  SELECT
    customer_id
  FROM @newest(@{client}_journeys.conversions, conversion_id) AS conversions
  WHERE
    NOT is_withdrawn
), owners AS (
  SELECT
    'visitor' AS owner,
    'touchpoints' AS owned,
    visitor_id AS id
  FROM touchpoints
  UNION ALL
  SELECT
    'customer' AS owner,
    'touchpoints' AS owned,
    customer_id AS id
  FROM touchpoints
  UNION ALL
  SELECT
    'customer' AS owner,
    'conversions' AS owned,
    customer_id AS id
  FROM conversions
), counted AS (
  SELECT
    owner,
    owned,
    id,
    COUNT(*) AS rows_owned,
    SUM(COUNT(*)) OVER (PARTITION BY owner, owned) AS rows_in_all
  FROM owners
  GROUP BY
    owner,
    owned,
    id
)
SELECT
  owner, /* visitor or customer */
  owned, /* touchpoints or conversions */
  id, /* The visitor's or the customer's */
  rows_owned::BIGINT AS rows_owned, /* Touchpoints or conversions that are this one's */
  rows_in_all::BIGINT AS rows_in_all /* Of all ids, and of none */
FROM counted
WHERE
  NOT id IS NULL
  AND rows_owned >= @dominant_id_rows
  AND rows_owned > @dominant_id_share * rows_in_all