/* What models that learn have learnt of each channel, and what is published by it. One row per model, version and channel. */
MODEL (
  name @{client}_publish.channel_values_v1,
  kind FULL,
  grain (model, version, channel),
  depends_on (
    @{client}_marts.gate
  ),
  enabled @learns_channels,
  blueprints @clients()
);

SELECT
  model, /* The model that has learnt */
  version, /* When it was trained, UTC */
  channel, /* As the touchpoints have it */
  worth, /* What is shared, and what learnt, credited and published count: conversions, or revenue */
  learnt, /* The channel's total as learnt; NULL for one that the version has not met */
  credited, /* What the conversions that it was learnt from give the channel, shared by this version; no refunds, because none is learnt from */
  published, /* What all conversions that are published by this version give it, refunds among them */
  distance, /* Share of the credit that no weights bring to where it was learnt, 0 to 1; of the version */
  standard_error, /* Of what is learnt, by who came: a jackknife over 16 groups of people; NULL with one group */
  weight, /* A conversion is shared in proportion to its channels' weights; NULL for the median */
  conversions, /* Learnt from */
  journeys, /* Learnt from, with a conversion or without */
  decided /* What training chose by itself, and why; empty where nothing was left to it */
FROM @{client}_marts.channel_values
ORDER BY
  model,
  version,
  channel