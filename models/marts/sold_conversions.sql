/* What the sources have of each type of conversions now, counted from staging alone, so that a conversion lost on its way to the credit is missed. One row per type. */
MODEL (
  name @{client}_marts.sold_conversions,
  kind EMBEDDED,
  grain conversion_type,
  blueprints @clients()
);

WITH newest_versions AS (
  SELECT
    'deal' AS conversion_type,
    is_won AND NOT is_deleted AS is_sold,
    COALESCE(amount, 0) AS revenue,
    currency,
    closed_at AS converted_at
  FROM @newest(@{client}_staging.stg_opportunities, opportunity_id) AS opportunities
  UNION ALL
  SELECT
    @SQL(@event_types) AS conversion_type, /* such as CASE event_type WHEN 'purchase' THEN 'purchase' WHEN 'signup' THEN 'lead' END */
    NOT is_deleted AS is_sold,
    COALESCE(revenue, 0) AS revenue,
    currency,
    event_time AS converted_at
  FROM @newest(@{client}_staging.stg_events, event_id) AS events
  UNION ALL
  SELECT
    'site' AS conversion_type,
    NOT is_deleted AS is_sold,
    revenue,
    currency,
    converted_at
  FROM @newest(@optional(@has_conversions, @client, staging.stg_conversions), conversion_id) AS conversions
)
SELECT
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  COUNT(*) AS conversions, /* As the sources have them */
  SUM(@money(@in_own_currency(revenue, newest_versions.currency, day_rates.rate))) AS revenue /* Of the conversions, as the sources have it, at the newest rates of their days; NULL where none is known */
FROM newest_versions
LEFT JOIN @optional(@has_rates, @client, marts.day_rates) AS day_rates
  ON newest_versions.currency = day_rates.currency
  AND @local_date(newest_versions.converted_at, @timezone) = day_rates.date
WHERE
  NOT conversion_type IS NULL AND is_sold
GROUP BY
  conversion_type