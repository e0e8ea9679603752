/* IHC (initializer, holder, closer) by whom the client chose, the service or the local model; where the service has no answer, the local model stands in. One row per conversion, touchpoint and revision. */
MODEL (
  name @{client}_attribution.ihc_scores,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, revised_at),
  enabled @asks_ihc,
  blueprints @clients()
);

WITH chosen AS (
  SELECT
    local.*,
    answers.method AS answer,
    COALESCE(answers.method LIKE 'service%', FALSE) AS is_answered,
    COALESCE(answers.ihc, 0)::DECIMAL(38, 18) AS answered_score
  FROM @{client}_attribution.ihc_local AS local
  LEFT JOIN @{client}_attribution.ihc_answers AS answers
    ON local.conversion_id = answers.conversion_id
    AND local.touchpoint_id = answers.touchpoint_id
    AND local.revised_at = answers.revised_at
  WHERE
    local.revised_at BETWEEN @start_ts AND @end_ts
), normalised AS (
  SELECT
    *,
    answered_score / NULLIF(SUM(answered_score) OVER (PARTITION BY conversion_id, revised_at), 0) - score AS difference
  FROM chosen
)
SELECT
  'ihc' AS model, /* As clients ask for it */
  conversion_id, /* The conversion being explained */
  touchpoint_id, /* The touchpoint being scored */
  CASE WHEN is_answered THEN answered_score::DOUBLE ELSE score END AS score, /* Share of the conversion, as answered: credit makes it sum to 1 */
  COALESCE(answer, method) AS method, /* Who computed it, and why if not who was chosen */
  CASE WHEN NOT is_answered THEN version END AS version, /* Of the local curves; NULL where the service computed it, or curves that stand in */
  CASE
    WHEN is_answered
    THEN SUM(ABS(difference)::DECIMAL(38, 18)) OVER (PARTITION BY conversion_id, revised_at) / 2
  END AS moved, /* Share of the conversion that the local model gives to other touchpoints, 0 to 1; NULL where it computed all */
  revised_at /* Of the revision being scored, UTC */
FROM normalised