/* Every touchpoint's share of its conversion, by each model the client asks for. One row per conversion, touchpoint, model and revision; where nothing earned it, the credit is unattributed. */
MODEL (
  name @{client}_attribution.credit,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, model, revised_at),
  blueprints @clients()
);

WITH weighted AS (
  SELECT
    paths.*,
    models.*
    EXCLUDE (conversion_type),
    scores.score,
    scores.method,
    scores.version,
    (
      @SQL(@weight)
    )::DECIMAL(38, 18) AS weight
  FROM @{client}_journeys.paths AS paths
  JOIN @SQL(@models) AS models
    ON paths.conversion_type = models.conversion_type
  LEFT JOIN @scores(@client, @scored_by) AS scores
    ON models.model = scores.model
    AND paths.conversion_id = scores.conversion_id
    AND paths.touchpoint_id = scores.touchpoint_id
    AND paths.revised_at = scores.revised_at
  WHERE
    paths.revised_at BETWEEN @start_ts AND @end_ts
), shared AS (
  SELECT
    *,
    CASE
      WHEN path_length = 0
      THEN 1::DOUBLE
      WHEN NOT is_additive
      THEN weight::DOUBLE
      WHEN SUM(weight) OVER path > 0
      THEN weight::DOUBLE / (
        SUM(weight) OVER path
      )::DOUBLE
      ELSE 1::DOUBLE / path_length
    END AS credit,
    (
      ABS(revenue) * @minor_units
    )::BIGINT AS revenue_units
  FROM weighted
  WINDOW path AS (PARTITION BY conversion_id, model, revised_at)
), measured AS (
  /* six digits of a unit: what a DOUBLE adds beyond would decide between equal remainders */
  SELECT
    *,
    (
      credit * revenue_units
    )::DECIMAL(38, 6) AS units
  FROM shared
), rounded AS (
  SELECT
    *,
    FLOOR(units)::BIGINT AS whole_units,
    units - FLOOR(units) AS remainder
  FROM measured
)
SELECT
  conversion_id, /* The conversion being explained */
  conversion_type, /* deal, purchase, or what the client calls the event */
  touchpoint_id, /* The touchpoint that earns the credit; NULL where there is none */
  customer_id, /* NULL if unknown */
  converted_at, /* UTC */
  touched_at, /* UTC; NULL where there is no touchpoint */
  COALESCE(channel, 'unattributed') AS channel, /* Of the touchpoint */
  COALESCE(campaign, '(not set)') AS campaign, /* Of the touchpoint */
  position, /* 1 for the first touchpoint of the path */
  path_length, /* Touchpoints of the path; 0 where there are none */
  model, /* By which the credit is shared */
  is_active, /* The model that the numbers of the type are made by; the others are there to compare */
  is_additive, /* False where touchpoints do not share the conversion, but each earns it */
  COALESCE(method, model) AS method, /* What shared it: the model, or what stands in for it */
  version AS model_version, /* Of what the model has learnt; NULL where it learns nothing */
  credit, /* Share of the conversion, 0 to 1 */
  revenue, /* The whole conversion's, in the client's currency */
  @money(
    SIGN(revenue) * (
      whole_units + CASE
        WHEN ROW_NUMBER() OVER (PARTITION BY conversion_id, model, revised_at ORDER BY remainder DESC, position) <= revenue_units - SUM(whole_units) OVER (PARTITION BY conversion_id, model, revised_at)
        THEN 1
        ELSE 0
      END
    ) / @minor_units
  ) AS attributed_revenue, /* The share in money: rounded by largest remainder, it sums to the revenue if additive; a refund takes back what the sale gave */
  path_length > 0 AS is_attributed, /* False where nothing earned the credit */
  revised_at /* The newest row holds; UTC */
FROM rounded