/* Every version of every conversion, priced in the client's currency: as it was committed, and again with each later load of rates that prices it. One row per conversion and load. */
MODEL (
  name @{client}_journeys.conversions,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column loaded_at
  ),
  grain (conversion_id, loaded_at),
  blueprints @clients()
);

WITH versions AS (
  SELECT
    *,
    loaded_at AS priced_at
  FROM @{client}_journeys.conversion_versions
  UNION ALL
  SELECT
    conversion_versions.*,
    repricings.priced_at
  FROM @{client}_journeys.conversion_versions AS conversion_versions
  JOIN @optional(@has_rates, @client, journeys.repricings) AS repricings
    ON conversion_versions.conversion_id = repricings.conversion_id
    AND conversion_versions.loaded_at = repricings.loaded_at
)
SELECT
  conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  customer_id, /* Whose touchpoints count; NULL if unknown */
  account_id, /* The deal's account, or its customer where the CRM names none; NULL for other conversions */
  opened_at, /* When the opportunity was made, UTC; NULL if unknown */
  milestone_1, /* A date of the client's own, UTC; NULL if not reached */
  milestone_2, /* The same, another */
  milestone_3, /* The same, another */
  converted_at, /* UTC; NULL while a deal is open */
  @money(@in_own_currency(revenue, versions.currency, prices.rate)) AS revenue, /* In the client's currency, at the rate of its day as known then; 0 where the source has no amount, NULL where no rate is known */
  versions.currency AS original_currency, /* Of the amount in the source */
  versions.revenue AS original_revenue, /* The amount in the source, in that currency */
  is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  priced_at AS loaded_at /* When this version was committed, or the rate that prices it, UTC */
FROM versions
LEFT JOIN @history(@optional(@has_rates, @client, journeys.prices), (currency, date)) AS prices
  ON versions.currency = prices.currency
  AND @local_date(versions.converted_at, @timezone) = prices.date
  AND versions.priced_at >= prices.valid_from
  AND versions.priced_at < prices.valid_until
WHERE
  priced_at BETWEEN @start_ts AND @end_ts