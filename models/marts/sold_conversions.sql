/* What the sources have of each type of conversions now, counted from staging alone, so that a conversion lost on its way to the credit is missed. One row per type. */
MODEL (
  name @{client}_marts.sold_conversions,
  kind EMBEDDED,
  grain conversion_type,
  blueprints @clients()
);

WITH newest_versions AS (
  SELECT
    opportunity_id AS conversion_id,
    'deal' AS conversion_type,
    customer_id,
    COALESCE(account_id, customer_id) AS account_id,
    is_won AND NOT is_deleted AND @SQL(@excluded_deals) IS NULL AS is_sold,
    COALESCE(amount, 0) AS revenue,
    currency,
    closed_at AS converted_at
  FROM @newest(@{client}_staging.stg_opportunities, opportunity_id) AS opportunities
  UNION ALL
  SELECT
    event_id AS conversion_id,
    @SQL(@event_types) AS conversion_type, /* such as CASE event_type WHEN 'purchase' THEN 'purchase' WHEN 'signup' THEN 'lead' END */
    client_id AS customer_id,
    NULL AS account_id,
    NOT is_deleted AND @SQL(@excluded_events) IS NULL AS is_sold,
    COALESCE(revenue, 0) AS revenue,
    currency,
    event_time AS converted_at
  FROM @newest(@{client}_staging.stg_events, event_id) AS events
  UNION ALL
  SELECT
    conversion_id,
    'site' AS conversion_type,
    customer_id,
    NULL AS account_id,
    NOT is_deleted AND @SQL(@excluded_sales) IS NULL AS is_sold,
    revenue,
    currency,
    converted_at
  FROM @newest(@optional(@has_conversions, @client, staging.stg_conversions), conversion_id) AS conversions
), refunds AS (
  SELECT
    conversion_id,
    SUM(amount) AS given_back,
    BOOL_OR(CAST(amount IS NULL AS BOOLEAN)) AS is_whole,
    MIN(currency) AS first_currency,
    MAX(currency) AS last_currency
  FROM (
    SELECT DISTINCT
      conversion_id,
      same_as,
      amount,
      currency
    FROM @newest(@optional(@has_refunds, @client, staging.stg_refunds), refund_id) AS refunds
    WHERE
      NOT is_deleted
  ) AS refunds
  GROUP BY
    conversion_id
), sold AS (
  SELECT
    *,
    CASE
      WHEN @SQL(@counts_first)
      THEN @IF(@by_account, COALESCE(account_id, customer_id), customer_id)
    END AS first_of
  FROM newest_versions
  WHERE
    NOT conversion_type IS NULL AND is_sold AND @SQL(@excluded_customers) IS NULL
  QUALIFY
    first_of IS NULL
    OR ROW_NUMBER() OVER (PARTITION BY first_of, conversion_type ORDER BY converted_at, conversion_id) = 1
)
SELECT
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  COUNT(*) AS conversions, /* As the sources have them */
  SUM(
    @money(@in_own_currency(@net_of(sold.revenue, refunds), sold.currency, day_rates.rate))
  ) AS revenue /* Of the conversions, as the sources have it, without refunds, at the newest rates of their days; NULL where none is known */
FROM sold
LEFT JOIN refunds
  ON sold.conversion_id = refunds.conversion_id
  AND COALESCE(first_currency, sold.currency) = sold.currency
  AND COALESCE(last_currency, sold.currency) = sold.currency
LEFT JOIN @optional(@has_rates, @client, marts.day_rates) AS day_rates
  ON sold.currency = day_rates.currency
  AND @local_date(sold.converted_at, @timezone) = day_rates.date
GROUP BY
  conversion_type