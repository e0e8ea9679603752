/* What would be published now, beside what the sources say; the published tables wait for its audits. One row. */
MODEL (
  name @{client}_marts.gate,
  kind FULL,
  grain (
    client
  ),
  blueprints @clients(),
  audits (no_source_halted, money_priced, revenue_conserved, spend_conserved)
);

WITH loads AS (
  SELECT
    MAX(loaded_until) AS loaded_until
  FROM @{client}_staging.stg_load_counts
), newest_sessions AS (
  SELECT
    NOT is_deleted AND NOT consent AS lacks_consent
  FROM @{client}_staging.stg_sessions
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY loaded_at DESC) = 1
), visited AS (
  SELECT
    COUNT(NULLIF(lacks_consent, FALSE)) AS sessions_without_consent
  FROM newest_sessions
), spent AS (
  SELECT
    COALESCE(SUM(spend), 0) AS spend,
    (
      SELECT
        COALESCE(SUM(cost), 0)
      FROM @{client}_marts.fct_campaigns
    ) AS reported_spend
  FROM @{client}_marts.spend_totals
), priceless AS (
  SELECT
    LISTAGG(CONCAT(currency, ' on ', date), ', '
    ORDER BY
      position) AS unpriced
  FROM @{client}_marts.unpriced
  WHERE
    position <= 5
), sources AS (
  SELECT
    LISTAGG(
      
        CASE WHEN code IN ('refused', 'failed') THEN CONCAT(source, ': ', problem) END,
        '; '
      
      ORDER BY
        source
    ) AS halted_sources,
    LISTAGG(
      
        CASE
          WHEN NOT code IN ('ok', 'refused', 'failed')
          THEN CONCAT(source, ': ', code)
        END,
        '; '
      
      ORDER BY
        source
    ) AS late_sources
  FROM @{client}_marts.source_status
), totals AS (
  SELECT
    COALESCE(SUM(conversions), 0) AS conversions,
    COALESCE(SUM(credited_conversions), 0) AS credited_conversions,
    COALESCE(SUM(revenue), 0) AS revenue,
    COALESCE(SUM(attributed_revenue), 0) AS attributed_revenue,
    COALESCE(SUM(unattributed_revenue), 0) AS unattributed_revenue
  FROM @{client}_marts.conversion_totals
  WHERE
    is_counted
), astray AS (
  SELECT
    LISTAGG(conversion_type, ', '
    ORDER BY
      conversion_type) AS astray_types
  FROM @{client}_marts.conversion_totals
  WHERE
    NOT is_conserved
)
SELECT
  @client_name AS client, /* The client's name in schemas and files */
  loads.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  sources.halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  sources.late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  visited.sessions_without_consent, /* Sessions that enter no path, because their visitor did not consent */
  totals.conversions, /* Of the types that count, as the sources have them */
  totals.credited_conversions, /* Conversions that have credit */
  totals.revenue, /* Of the conversions, as the sources have it */
  totals.attributed_revenue, /* What touchpoints earned */
  totals.unattributed_revenue, /* What no touchpoint earned */
  astray.astray_types, /* Types of conversions whose credit is not what the sources have; NULL if none */
  spent.spend, /* As the platforms and the sessions' costs have it */
  spent.reported_spend, /* As the campaigns have it */
  priceless.unpriced /* The first five currencies and days without a rate that some money needs; NULL if none */
FROM loads
CROSS JOIN totals
CROSS JOIN astray
CROSS JOIN spent
CROSS JOIN priceless
CROSS JOIN sources
CROSS JOIN visited