/* IHC by the local model: the gaps before sessions decide who begins a journey and who holds it, the time to the last session who ends it. One row per conversion, touchpoint and revision. */
MODEL (
  name @{client}_attribution.ihc_local,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  enabled @asks_ihc_local,
  blueprints @clients()
);

WITH compared AS (
  SELECT
    *,
    position >= MAX(CASE WHEN begins = 1 THEN position END) OVER journey AS is_current,
    1 - begins::DOUBLE / SUM(begins) OVER journey AS not_begun,
    1 - ends::DOUBLE / SUM(ends) OVER journey AS not_ended
  FROM @{client}_attribution.ihc_gaps
  WINDOW journey AS (PARTITION BY conversion_id, revised_at)
), phased AS (
  SELECT
    compared.*,
    CASE WHEN is_current THEN begins * COALESCE(initializer_weight, 1) ELSE 0 END::DECIMAL(38, 18) AS begun,
    /* who neither begins nor ends, holds: the mean of the arithmetic and the harmonic mean */
    CASE
      WHEN is_current AND holder_engagement AND not_begun + not_ended > 0
      THEN (
        (
          not_begun + not_ended
        ) / 4 + not_begun * not_ended / (
          not_begun + not_ended
        )
      ) * COALESCE(holder_weight, 1)
      ELSE 0
    END::DECIMAL(38, 18) AS held,
    (
      ends * COALESCE(closer_weight, 1)
    )::DECIMAL(38, 18) AS closed
  FROM compared
  LEFT JOIN @SQL(@ihc_channels) AS channels /* such as (SELECT 'Email' AS channel, 0.5 AS initializer_weight, …) */
    ON compared.channel = channels.channel
), shared AS (
  SELECT
    *,
    begun::DOUBLE / SUM(begun) OVER journey AS initializer,
    held::DOUBLE / NULLIF(SUM(held) OVER journey, 0) AS holder,
    closed::DOUBLE / SUM(closed) OVER journey AS closer
  FROM phased
  WINDOW journey AS (PARTITION BY conversion_id, revised_at)
)
SELECT
  'ihc_local' AS model, /* As clients ask for it */
  conversion_id, /* The conversion being explained */
  touchpoint_id, /* The touchpoint being scored */
  initializer, /* Share of the first phase, 0 to 1 */
  holder, /* Share of the second; NULL where nobody holds */
  closer, /* Share of the third */
  is_current, /* At the last restart of the journey or after it; before it, only closing counts */
  (
    @ihc_initializer * initializer + @ihc_holder * COALESCE(holder, 0) + @ihc_closer * closer
  )::DOUBLE / (
    @ihc_initializer + @ihc_closer + CASE WHEN holder IS NULL THEN 0 ELSE @ihc_holder END
  )::DOUBLE AS score, /* Share of the conversion, 0 to 1 */
  CASE WHEN version IS NULL THEN 'local: default curves' ELSE 'local' END AS method, /* Whose curves: the client's own, or the default ones until its own are learnt */
  version, /* Of the curves; NULL for those that stand in */
  revised_at /* Of the revision being scored, UTC */
FROM shared
