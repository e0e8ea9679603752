/* Which version of a conversion says something else from a later moment on: it is priced anew, money is given back, or another one is the customer's first. One row per version and moment. */
MODEL (
  name @{client}_journeys.restated_conversions,
  kind EMBEDDED,
  grain (conversion_id, loaded_at, restated_at),
  blueprints @clients()
);

SELECT
  conversion_id, /* The conversion */
  loaded_at, /* When this version was committed, UTC */
  priced_at AS restated_at /* When that is known, before the next version, UTC */
FROM @optional(@has_rates, @client, journeys.repricings) AS repricings
UNION
SELECT
  versions.conversion_id,
  versions.loaded_at,
  firsts.loaded_at AS restated_at
FROM @optional(@has_first_conversions, @client, journeys.first_conversions) AS firsts
JOIN @history(@{client}_journeys.conversion_versions, conversion_id) AS versions
  ON firsts.first_of = versions.first_of
  AND firsts.conversion_type = versions.conversion_type
  AND versions.conversion_id IN (firsts.conversion_id, firsts.conversion_before)
  AND firsts.loaded_at > versions.valid_from
  AND firsts.loaded_at < versions.valid_until
UNION
SELECT
  versions.conversion_id,
  versions.loaded_at,
  refunds.loaded_at AS restated_at
FROM @optional(@has_refunds, @client, journeys.refunds) AS refunds
JOIN @history(@{client}_journeys.conversion_versions, conversion_id) AS versions
  ON refunds.conversion_id = versions.conversion_id
  AND refunds.loaded_at > versions.valid_from
  AND refunds.loaded_at < versions.valid_until