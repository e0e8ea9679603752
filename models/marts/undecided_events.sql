/* Events of which the client's conditions cannot say whether they are conversions, because a value is no number, time or flag. One row. */
MODEL (
  name @{client}_marts.undecided_events,
  kind EMBEDDED,
  grain warnings,
  enabled @has_conditions,
  blueprints @clients()
);

WITH undecided AS (
  SELECT
    @SQL(@undecided_events) AS conversion_type, /* such as CASE WHEN event_type = 'signup' AND TRY_CAST(… AS DOUBLE) IS NULL THEN 'lead' END */
    COUNT(*) AS events
  FROM @newest(@{client}_staging.stg_events, event_id) AS events
  WHERE
    NOT is_deleted
  GROUP BY
    1
)
SELECT
  @listed(
    CONCAT('conversions.', conversion_type, '.where cannot read a value of ', events, ' events, which do not count'),
    '; ',
    NOT conversion_type IS NULL
  ) AS warnings /* By type of conversions; NULL where all can be read */
FROM undecided
