/* Which version of a conversion in another currency was priced anew by a later load, and when. One row per version and later price. */
MODEL (
  name @{client}_journeys.repricings,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column priced_at
  ),
  grain (conversion_id, loaded_at, priced_at),
  enabled @has_rates,
  blueprints @clients()
);

SELECT
  versions.conversion_id, /* The conversion */
  versions.loaded_at, /* When this version was committed, UTC */
  prices.loaded_at AS priced_at /* When the later price was, before the next version, UTC */
FROM @{client}_journeys.prices AS prices
JOIN @history(@{client}_journeys.conversion_versions, conversion_id) AS versions
  ON prices.currency = versions.currency
  AND prices.date = @local_date(versions.converted_at, @timezone)
  AND prices.loaded_at > versions.valid_from
  AND prices.loaded_at < versions.valid_until
WHERE
  prices.loaded_at BETWEEN @start_ts AND @end_ts AND versions.currency <> @currency
