/* What models that have learnt channels' values give each touchpoint, by the version in force when its conversion was revised. One row per model, conversion, touchpoint and revision. */
MODEL (
  name @{client}_attribution.channel_scores,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (model, conversion_id, touchpoint_id, revised_at),
  enabled @learns_channels,
  blueprints @clients()
);

WITH learnt AS (
  SELECT
    *
  FROM @learned(@client, @channel_learners, (channel := TEXT, weight := DOUBLE, status := TEXT)) AS learnt
), versions AS (
  SELECT
    model,
    version,
    status,
    valid_from,
    valid_until,
    MEDIAN(weight) AS median_weight
  FROM learnt
  GROUP BY ALL
), touches AS (
  /* a channel's share belongs to all its touchpoints on the path */
  SELECT
    models.model,
    paths.*,
    COUNT(*) OVER (PARTITION BY models.model, conversion_id, revised_at, channel) AS of_the_channel
  FROM @{client}_journeys.paths AS paths
  CROSS JOIN @SQL(@learning_models) AS models /* such as (SELECT 'markov' AS model UNION ALL SELECT 'shapley' AS model) */
  WHERE
    paths.revised_at BETWEEN @start_ts AND @end_ts
    AND NOT paths.touchpoint_id IS NULL
), weighed AS (
  SELECT
    touches.*,
    versions.version,
    versions.status = 'ok' AS is_learnt,
    COALESCE(versions.status, CONCAT(touches.model, ' has not learnt yet')) AS reason,
    BOOL_OR(CAST(learnt.channel IS NULL AS BOOLEAN)) OVER (PARTITION BY touches.model, conversion_id, revised_at) AS has_unseen,
    COALESCE(learnt.weight, versions.median_weight) / of_the_channel AS share
  FROM touches
  LEFT JOIN versions
    ON touches.model = versions.model
    AND touches.revised_at >= versions.valid_from
    AND touches.revised_at < versions.valid_until
  LEFT JOIN learnt
    ON versions.model = learnt.model
    AND versions.version = learnt.version
    AND touches.channel = learnt.channel
)
SELECT
  model, /* The model that has learnt */
  conversion_id, /* The conversion being explained */
  touchpoint_id, /* The touchpoint being scored */
  (
    CASE WHEN is_learnt THEN share ELSE @SQL(@fallback_weight) /* such as CASE WHEN position = path_length THEN 1 ELSE 0 END */ END
  )::DOUBLE AS score, /* Its weight among the touchpoints of the path */
  CASE
    WHEN NOT COALESCE(is_learnt, FALSE)
    THEN CONCAT(@fallback, ': ', reason)
    WHEN has_unseen
    THEN CONCAT(model, ': a channel it has not met weighs the median')
    ELSE model
  END AS method, /* What made the score: the model, or what stands in for it and why */
  version, /* Of what the model has learnt; NULL before the first version */
  revised_at /* Of the revision being scored, UTC */
FROM weighed