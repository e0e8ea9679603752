/* IHC by the local model: gaps tell who begins a journey and who holds it, the time to the last session who ends it. One row per conversion, touchpoint and revision. */
MODEL (
  name @{client}_attribution.ihc_local,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  enabled @asks_ihc_local,
  blueprints @clients()
);

WITH timed AS (
  SELECT
    *,
    DATE_DIFF('SECOND', LAG(touched_at) OVER in_order, touched_at) / 3600::DOUBLE AS hours_since,
    (
      age_seconds - newest_age_seconds
    ) / 3600::DOUBLE AS hours_left
  FROM @{client}_journeys.paths
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts AND path_length > 0
  WINDOW in_order AS (PARTITION BY conversion_id, revised_at ORDER BY position)
), begun AS (
  SELECT
    timed.*,
    curves.version,
    @ihc_begins(hours_since, curves)::DECIMAL(38, 18) AS begins,
    CASE
      WHEN position = path_length
      THEN 1
      WHEN closer_engagement
      THEN @ihc_ends(hours_left, curves)
      ELSE 0
    END::DECIMAL(38, 18) AS ends
  FROM timed
  LEFT JOIN @learned(@client, @curve_learners, (i0 := DOUBLE, i1 := DOUBLE, closer_hours := DOUBLE[])) AS curves
    ON timed.revised_at >= curves.valid_from
    AND timed.revised_at < curves.valid_until
    AND curves.i0 < curves.i1
), restarted AS (
  SELECT
    *,
    position >= MAX(position) FILTER(WHERE
      begins = 1) OVER journey AS is_current,
    1 - begins / SUM(begins) OVER journey AS not_begun,
    1 - ends / SUM(ends) OVER journey AS not_ended
  FROM begun
  WINDOW journey AS (PARTITION BY conversion_id, revised_at)
), phased AS (
  /* who neither begins nor ends, holds: the mean of the arithmetic and the harmonic mean */
  SELECT
    restarted.*,
    CASE WHEN is_current THEN begins * COALESCE(initializer_weight, 1) ELSE 0 END::DECIMAL(38, 18) AS initializer,
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
    END::DECIMAL(38, 18) AS holder,
    (
      ends * COALESCE(closer_weight, 1)
    )::DECIMAL(38, 18) AS closer
  FROM restarted
  LEFT JOIN @SQL(@ihc_channels) AS channels
    ON restarted.channel = channels.channel
), shared AS (
  SELECT
    *
    EXCLUDE (initializer, holder, closer),
    initializer / SUM(initializer) OVER journey AS initializer,
    holder / NULLIF(SUM(holder) OVER journey, 0) AS holder,
    closer / SUM(closer) OVER journey AS closer
  FROM phased
  WINDOW journey AS (PARTITION BY conversion_id, revised_at)
)
SELECT
  'ihc_local' AS model, /* As clients ask for it */
  conversion_id, /* The conversion being explained */
  touchpoint_id, /* The touchpoint that earns the credit */
  initializer, /* Share of the first phase, 0 to 1 */
  holder, /* Share of the second; NULL where nobody holds */
  closer, /* Share of the third */
  is_current, /* At the last restart of the journey or after it; before it, only closing counts */
  (
    @ihc_initializer * initializer + @ihc_holder * COALESCE(holder, 0) + @ihc_closer * closer
  )::DOUBLE / (
    @ihc_initializer + @ihc_closer + CASE WHEN holder IS NULL THEN 0 ELSE @ihc_holder END
  )::DOUBLE AS score, /* Share of the conversion, 0 to 1 */
  CASE WHEN version IS NULL THEN 'local: default curves' ELSE 'local' END AS method, /* Whose curves: the client's, or what stands in until it has taught its own */
  version, /* Of the curves; NULL for those that stand in */
  revised_at /* Of the revision being scored; UTC */
FROM shared