/* Every version of every conversion, priced in the client's currency: as it was committed, and again with each later load that prices it, gives money of it back or makes another one the customer's first. One row per conversion and load. */
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
    loaded_at AS at
  FROM @{client}_journeys.conversion_versions
  UNION ALL
  SELECT
    conversion_versions.*,
    restated.restated_at AS at
  FROM @{client}_journeys.conversion_versions AS conversion_versions
  JOIN @{client}_journeys.restated_conversions AS restated
    ON conversion_versions.conversion_id = restated.conversion_id
    AND conversion_versions.loaded_at = restated.loaded_at
)
SELECT
  versions.conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  versions.conversion_type, /* deal, purchase, site, or what the client calls the event */
  customer_id, /* Whose touchpoints count; NULL if unknown */
  account_id, /* The deal's account, or its customer where the CRM names none; NULL for other conversions */
  opened_at, /* When the opportunity was made, UTC; NULL if unknown */
  milestone_1, /* A date of the client's own, UTC; NULL if not reached */
  milestone_2, /* The same, another */
  milestone_3, /* The same, another */
  converted_at, /* UTC; NULL while a deal is open */
  @money(
    @in_own_currency(@net_of(versions.revenue, refunds), versions.currency, prices.rate)
  ) AS revenue, /* In the client's currency, at the rate of its day as known then, without what was given back; 0 where the source has no amount, NULL where no rate is known */
  versions.currency AS original_currency, /* Of the amount in the source */
  @net_of(versions.revenue, refunds) AS original_revenue, /* The amount in the source less what was given back, in that currency */
  versions.revenue - @net_of(versions.revenue, refunds) AS refunded, /* What was given back of it, in that currency; 0 if nothing */
  refunds.refunded_at, /* When the last of it was, UTC; NULL if nothing, or not known */
  is_withdrawn
  OR (
    NOT versions.first_of IS NULL
    AND versions.conversion_id IS DISTINCT FROM firsts.conversion_id
  ) AS is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  excluded_by, /* The rule of the client's `exclude` that leaves it out; NULL where none does */
  at AS loaded_at /* When this version was committed, or what restates it, UTC */
FROM versions
LEFT JOIN @history(@optional(@has_rates, @client, journeys.prices), (currency, date)) AS prices
  ON versions.currency = prices.currency
  AND @local_date(versions.converted_at, @timezone) = prices.date
  AND versions.at >= prices.valid_from
  AND versions.at < prices.valid_until
LEFT JOIN @history(
  @optional(@has_first_conversions, @client, journeys.first_conversions),
  (first_of, conversion_type)
) AS firsts
  ON versions.first_of = firsts.first_of
  AND versions.conversion_type = firsts.conversion_type
  AND versions.at >= firsts.valid_from
  AND versions.at < firsts.valid_until
LEFT JOIN @history(@optional(@has_refunds, @client, journeys.refunds), conversion_id) AS refunds
  ON versions.conversion_id = refunds.conversion_id
  AND COALESCE(refunds.currency, versions.currency) = versions.currency
  AND versions.at >= refunds.valid_from
  AND versions.at < refunds.valid_until
WHERE
  at BETWEEN @start_ts AND @end_ts