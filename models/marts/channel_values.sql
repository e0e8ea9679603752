/* What each version of a model has learnt of each channel, and what is published by it. One row per model, version and channel. */
MODEL (
  name @{client}_marts.channel_values,
  kind FULL,
  grain (model, version, channel),
  enabled @learns_channels,
  blueprints @clients()
);

WITH learnt AS (
  SELECT
    *
  FROM @learned(
    @client,
    @channel_learners,
    (
      channel := TEXT,
      worth := TEXT,
      learnt := DOUBLE,
      credited := DOUBLE,
      weight := DOUBLE,
      standard_error := DOUBLE,
      conversions := BIGINT,
      nulls := BIGINT,
      decided := TEXT,
      status := TEXT
    )
  ) AS learnt
  WHERE
    status = 'ok'
), versions AS (
  SELECT
    model,
    version,
    worth,
    conversions,
    nulls,
    decided,
    SUM(ABS(credited - learnt)::DECIMAL(38, 12))::DOUBLE / 2 / NULLIF(SUM(learnt::DECIMAL(38, 12))::DOUBLE, 0) AS distance
  FROM learnt
  GROUP BY ALL
), published AS (
  SELECT
    model,
    model_version AS version,
    channel,
    SUM(credit::DECIMAL(38, 18)) AS conversions,
    SUM(attributed_revenue) AS revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_counted AND is_attributed
  GROUP BY ALL
)
SELECT
  model, /* The model that has learnt */
  version, /* When it was trained, UTC */
  channel, /* As the touchpoints have it */
  versions.worth, /* What is shared, and what learnt, credited and published count: conversions, or revenue */
  learnt.learnt, /* The channel's total as learnt; NULL for one that the version has not met */
  learnt.credited, /* What the conversions that it was learnt from give the channel, shared by this version; no refunds, because none is learnt from */
  COALESCE(
    CASE
      WHEN versions.worth = 'revenue'
      THEN published.revenue::DOUBLE
      ELSE published.conversions::DOUBLE
    END,
    0
  ) AS published, /* What all conversions that are published by this version give it, refunds among them */
  versions.distance, /* Share of the credit that no weights bring to where it was learnt, 0 to 1; of the version */
  learnt.standard_error, /* Of what is learnt, by who came: a jackknife over 16 groups of people; NULL with one group */
  learnt.weight, /* A conversion is shared in proportion to its channels' weights; NULL for the median */
  versions.conversions, /* Learnt from */
  versions.conversions + versions.nulls AS journeys, /* Learnt from, with a conversion or without */
  versions.decided /* What training chose by itself, and why; empty where nothing was left to it */
FROM learnt
FULL JOIN published
  USING (model, version, channel)
JOIN versions
  USING (model, version)