/* What the sources have of each type of conversions, beside what is credited. One row per type. */
MODEL (
  name @{client}_marts.conversion_totals,
  kind FULL,
  grain conversion_type,
  blueprints @clients()
);

WITH newest_versions AS (
  SELECT
    'deal' AS conversion_type,
    is_won AND NOT is_deleted AS is_sold,
    COALESCE(amount, 0) AS revenue,
    currency,
    @local_date(closed_at, @timezone) AS date
  FROM @{client}_staging.stg_opportunities
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY loaded_at DESC) = 1
  UNION ALL
  SELECT
    @SQL(@event_types) AS conversion_type,
    NOT is_deleted AS is_sold,
    COALESCE(revenue, 0) AS revenue,
    currency,
    @local_date(event_time, @timezone) AS date
  FROM @{client}_staging.stg_events
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY loaded_at DESC) = 1
  UNION ALL
  SELECT
    'site' AS conversion_type,
    NOT is_deleted AS is_sold,
    revenue,
    currency,
    @local_date(converted_at, @timezone) AS date
  FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY loaded_at DESC) = 1
), sold AS (
  SELECT
    conversion_type,
    COUNT(*) AS conversions,
    SUM(@money(@in_own_currency(revenue, newest_versions.currency, day_rates.rate))) AS revenue
  FROM newest_versions
  LEFT JOIN @optional(@has_rates, @client, marts.day_rates) AS day_rates
    ON newest_versions.currency = day_rates.currency
    AND newest_versions.date = day_rates.date
  WHERE
    NOT conversion_type IS NULL AND is_sold
  GROUP BY
    conversion_type
), credited AS (
  SELECT
    conversion_type,
    COUNT(DISTINCT conversion_id) AS conversions,
    SUM(attributed_revenue) FILTER(WHERE
      is_attributed) AS attributed_revenue,
    SUM(attributed_revenue) FILTER(WHERE
      NOT is_attributed) AS unattributed_revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_active
  GROUP BY
    conversion_type
), compared AS (
  SELECT
    COALESCE(sold.conversion_type, credited.conversion_type) AS conversion_type,
    COALESCE(sold.conversions, 0) AS conversions,
    COALESCE(credited.conversions, 0) AS credited_conversions,
    COALESCE(sold.revenue, 0) AS revenue,
    COALESCE(credited.attributed_revenue, 0) AS attributed_revenue,
    COALESCE(credited.unattributed_revenue, 0) AS unattributed_revenue
  FROM sold
  FULL OUTER JOIN credited
    ON sold.conversion_type = credited.conversion_type
)
SELECT
  conversion_type, /* deal, purchase, site, or what the client calls the event */
  @SQL(@is_counted) AS is_counted, /* The type is in campaigns and totals */
  conversions, /* As the sources have them */
  credited_conversions, /* Conversions that have credit */
  revenue, /* Of the conversions, as the sources have it, at the newest rates of their days */
  attributed_revenue, /* What touchpoints earned */
  unattributed_revenue, /* What no touchpoint earned */
  conversions = credited_conversions
  AND revenue = attributed_revenue + unattributed_revenue AS is_conserved /* Both agree, to the cent */
FROM compared