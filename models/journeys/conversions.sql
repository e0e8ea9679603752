/* Every version of every conversion: won deals, purchases, what the site itself exports, and events that the client calls so. One row per conversion and load. */
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
    opportunity_id AS conversion_id,
    'deal' AS conversion_type,
    customer_id,
    COALESCE(account_id, customer_id) AS account_id,
    opened_at,
    milestone_1,
    milestone_2,
    milestone_3,
    closed_at AS converted_at,
    COALESCE(amount, 0) AS revenue,
    currency,
    is_deleted OR NOT is_won AS is_withdrawn,
    loaded_at
  FROM @{client}_staging.stg_opportunities
  UNION ALL
  SELECT
    event_id AS conversion_id,
    @SQL(@event_types) AS conversion_type,
    client_id AS customer_id,
    NULL::TEXT AS account_id,
    NULL::TIMESTAMP AS opened_at,
    NULL::TIMESTAMP AS milestone_1,
    NULL::TIMESTAMP AS milestone_2,
    NULL::TIMESTAMP AS milestone_3,
    event_time AS converted_at,
    COALESCE(revenue, 0) AS revenue,
    currency,
    is_deleted AS is_withdrawn,
    loaded_at
  FROM @{client}_staging.stg_events
  UNION ALL
  SELECT
    conversion_id,
    'site' AS conversion_type,
    customer_id,
    NULL::TEXT AS account_id,
    NULL::TIMESTAMP AS opened_at,
    NULL::TIMESTAMP AS milestone_1,
    NULL::TIMESTAMP AS milestone_2,
    NULL::TIMESTAMP AS milestone_3,
    converted_at,
    revenue,
    currency,
    is_deleted AS is_withdrawn,
    loaded_at
  FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions
), priced AS (
  /* each as it was committed, and again with each later load of rates that prices it */
  SELECT
    *,
    loaded_at AS at
  FROM versions
  UNION ALL
  SELECT
    versions.*,
    repricings.priced_at AS at
  FROM versions
  JOIN @optional(@has_rates, @client, journeys.repricings) AS repricings
    ON versions.conversion_id = repricings.conversion_id
    AND versions.loaded_at = repricings.loaded_at
), prices AS (
  SELECT
    *,
    LEAD(loaded_at) OVER (PARTITION BY currency, date ORDER BY loaded_at) AS replaced_at
  FROM @optional(@has_rates, @client, journeys.prices) AS prices
)
SELECT
  conversion_id, /* An opportunity, an event of a shop's export, or the site's own id */
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  customer_id, /* Whose touchpoints count; NULL if unknown */
  account_id, /* The deal's account, or its customer where the CRM names none; NULL for purchases */
  opened_at, /* When the opportunity was made, UTC; NULL if unknown */
  milestone_1, /* A date of the client's own, UTC; NULL if not reached */
  milestone_2, /* The same, another */
  milestone_3, /* The same, another */
  converted_at, /* UTC; NULL while a deal is open */
  @money(@in_own_currency(revenue, priced.currency, prices.rate)) AS revenue, /* In the client's currency, at the rate of its day as known then; 0 where the source has no amount, NULL where no rate is known */
  priced.currency AS original_currency, /* Of the amount in the source */
  priced.revenue AS original_revenue, /* The amount in the source, in that currency */
  is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  at AS loaded_at /* When this version was committed, or the rate that prices it, UTC */
FROM priced
LEFT JOIN prices
  ON priced.currency = prices.currency
  AND @local_date(priced.converted_at, @timezone) = prices.date
  AND priced.at >= prices.loaded_at
  AND priced.at < COALESCE(prices.replaced_at, '9999-12-31'::TIMESTAMP)
WHERE
  NOT conversion_type IS NULL AND at BETWEEN @start_ts AND @end_ts