/* Every touchpoint's share of its conversion, by each model the client asks for. One row per conversion, touchpoint, model and revision; where nothing earned it, the credit is unattributed. */
MODEL (
  name @{client}_attribution.credit,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column revised_at
  ),
  grain (conversion_id, touchpoint_id, model, revised_at),
  blueprints @clients()
);

WITH numbered AS (
  SELECT
    *,
    ROW_NUMBER() OVER (ORDER BY conversion_id, revised_at, position) AS number
  FROM @{client}_journeys.paths
  WHERE
    revised_at BETWEEN @start_ts AND @end_ts
), weighted AS (
  /* Numbers stand for touchpoints and paths, so that what is grouped and joined stays small. Rows are
  numbered path after path without a gap: number - position is the same for all touchpoints of a path
  and of no other. Example: two paths of 2 and 3 touchpoints have the numbers 1 2, 3 4 5 and the
  positions 1 2, 1 2 3, so their paths are 0 and 2. */
  SELECT
    paths.number,
    paths.number - paths.position AS path,
    (
      ABS(paths.revenue) * @minor_units
    )::BIGINT AS revenue_units,
    models.model,
    models.is_active,
    models.is_additive,
    CASE WHEN NOT models.is_additive THEN paths.channel END AS whole_of,
    scores.method,
    scores.version,
    COALESCE(@SQL(@weight), 0)::DOUBLE AS weight /* such as CASE models.model WHEN 'linear' THEN 1 WHEN 'markov' THEN score END */
  FROM numbered AS paths
  JOIN @SQL(@models_by_type) AS models /* a row for each type and model: ('deal', 'linear', TRUE, TRUE) */
    USING (conversion_type)
  LEFT JOIN @scores(@client, @score_tables) AS scores
    USING (model, conversion_id, touchpoint_id, revised_at)
  LEFT JOIN @milestone_positions(@client, @milestones) AS milestone_positions
    USING (conversion_id, revised_at)
), listed AS (
  /* One row is what is shared: a path by a model; where each channel earns the whole, a channel of it.
  Weights are sorted before they are added: sums of DOUBLEs depend on
  their order, and so are the same however the rows come. */
  SELECT
    path,
    revenue_units,
    model,
    is_active,
    is_additive,
    whole_of,
    MAX(method) AS method,
    MAX(version) AS version,
    ARRAY_AGG(number) AS numbers,
    ARRAY_AGG(weight) AS weights,
    LIST_SUM(LIST_SORT(ARRAY_AGG(weight))) AS total
  FROM weighted
  GROUP BY ALL
), shared AS (
  SELECT
    *,
    [
      CASE WHEN total > 0 THEN weight / total ELSE 1::DOUBLE / LENGTH(weights) END FOR weight IN weights
    ] AS credits
  FROM listed
), paid AS (
  SELECT
    model,
    is_active,
    is_additive,
    method,
    version,
    UNNEST(numbers) AS number,
    UNNEST(credits) AS credit,
    UNNEST(units) AS units
  FROM @largest_remainder(shared)
)
SELECT
  paths.conversion_id, /* The conversion being explained */
  paths.conversion_type, /* deal, purchase, site, or what the client calls the event */
  paths.touchpoint_id, /* The touchpoint that earns the credit; NULL where there is none */
  paths.customer_id, /* NULL if unknown */
  paths.converted_at, /* UTC */
  paths.touched_at, /* UTC; NULL where there is no touchpoint */
  COALESCE(paths.channel, 'unattributed') AS channel, /* Of the touchpoint */
  COALESCE(paths.campaign, '(not set)') AS campaign, /* Of the touchpoint */
  paths.position, /* 1 for the first touchpoint of the path */
  paths.path_length, /* Touchpoints of the path; 0 where there are none */
  paid.model, /* By which the credit is shared */
  paid.is_active, /* The model that the numbers of the type are made by; the others are there to compare */
  paid.is_additive, /* False where channels and campaigns do not share the conversion, but each earns it whole: never add them up */
  COALESCE(paid.method, paid.model) AS method, /* What shared it: the model, or what stands in for it and why */
  paid.version AS model_version, /* Of what the model has learnt; NULL where it learns nothing */
  paid.credit, /* Share of the conversion, 0 to 1 */
  paths.revenue, /* In the client's currency */
  @money(SIGN(paths.revenue) * paid.units / @minor_units) AS attributed_revenue, /* The share in money: rounded by largest remainder, it sums to the revenue, that of each channel if not additive; a refund takes back what the sale gave */
  paths.path_length > 0 AS is_attributed, /* False where nothing earned the credit */
  paths.revised_at /* Of the revision, UTC; the newest one holds */
FROM paid
JOIN numbered AS paths
  ON paid.number = paths.number