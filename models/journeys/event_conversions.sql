/* Every version of every event that is, or was, a conversion: by its type, and by the client's conditions. One row per event and load. */
MODEL (
  name @{client}_journeys.event_conversions,
  kind EMBEDDED,
  grain (conversion_id, loaded_at),
  blueprints @clients()
);

WITH events AS (
  SELECT
    *,
    @SQL(@event_types) AS conversion_type /* such as CASE event_type WHEN 'purchase' THEN 'purchase' WHEN 'signup' THEN 'lead' END */
  FROM @{client}_staging.stg_events
), converted AS (
  /* without an id or a condition on its columns, an event stays of the type that it is */
  SELECT
    event_id,
    MIN(loaded_at) AS converted_from
  FROM events
  WHERE
    (
      has_own_id OR @has_conditions
    ) AND NOT conversion_type IS NULL
  GROUP BY
    event_id
)
SELECT
  events.event_id AS conversion_id, /* The event */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  client_id AS customer_id, /* Whose touchpoints count */
  event_time AS converted_at, /* UTC */
  COALESCE(revenue, 0) AS revenue, /* The amount in the source; 0 where it has none */
  currency, /* Of the amount in the source */
  is_deleted OR conversion_type IS NULL AS is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  @SQL(@excluded_events) AS excluded_by, /* such as CASE WHEN LOWER(utm_source) IN ('qa') THEN CONCAT('utm_source: ', utm_source) END */
  loaded_at /* When this version was committed, UTC */
FROM events
LEFT JOIN converted
  ON events.event_id = converted.event_id
  AND events.loaded_at > converted.converted_from
WHERE
  NOT conversion_type IS NULL OR NOT converted.event_id IS NULL