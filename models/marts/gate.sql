/* What would be published now, beside what the sources say; the published tables wait for its audits. One row. */
MODEL (
  name @{client}_marts.gate,
  kind FULL,
  grain (
    client
  ),
  blueprints @clients(),
  audits (no_source_halted, revenue_conserved, spend_conserved)
);

WITH newest_deals AS (
  SELECT
    CASE WHEN is_won AND NOT is_deleted THEN COALESCE(amount, 0) END AS revenue
  FROM @{client}_staging.stg_opportunities
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY loaded_at DESC) = 1
), newest_purchases AS (
  SELECT
    CASE WHEN event_type = 'purchase' AND NOT is_deleted THEN revenue END AS revenue
  FROM @{client}_staging.stg_events
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY loaded_at DESC) = 1
), newest_spend AS (
  SELECT
    CASE WHEN NOT is_deleted THEN cost END AS cost
  FROM @{client}_staging.stg_ad_spend
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY platform, spend_id ORDER BY loaded_at DESC, is_deleted, cost DESC) = 1
), newest_sessions AS (
  SELECT
    NOT is_deleted AND NOT consent AS lacks_consent
  FROM @{client}_staging.stg_sessions
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY loaded_at DESC) = 1
), visited AS (
  SELECT
    COUNT(*) FILTER(WHERE
      lacks_consent) AS sessions_without_consent
  FROM newest_sessions
), spent AS (
  SELECT
    COALESCE(SUM(cost), 0) AS spend,
    (
      SELECT
        COALESCE(SUM(cost), 0)
      FROM @{client}_marts.fct_campaigns
    ) AS reported_spend
  FROM newest_spend
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
), sold AS (
  SELECT
    COUNT(revenue) AS conversions,
    COALESCE(SUM(revenue), 0) AS revenue
  FROM (
    SELECT
      revenue
    FROM newest_deals
    UNION ALL
    SELECT
      revenue
    FROM newest_purchases
  ) AS newest_sales
), credited AS (
  SELECT
    COUNT(DISTINCT conversion_id) AS credited_conversions,
    COALESCE(SUM(attributed_revenue) FILTER(WHERE
      is_attributed), 0) AS attributed_revenue,
    COALESCE(SUM(attributed_revenue) FILTER(WHERE
      NOT is_attributed), 0) AS unattributed_revenue
  FROM @{client}_marts.fct_credit
  WHERE
    is_active
)
SELECT
  @client_name AS client, /* The client's name in schemas and files */
  accounts.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  sources.halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  sources.late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  visited.sessions_without_consent, /* Sessions that enter no path, because their visitor did not consent */
  sold.conversions, /* Won deals and purchases, as the sources have them */
  credited.credited_conversions, /* Conversions that have credit */
  sold.revenue, /* Of the conversions, as the sources have it */
  credited.attributed_revenue, /* What touchpoints earned */
  credited.unattributed_revenue, /* What no touchpoint earned */
  spent.spend, /* As the platforms have it */
  spent.reported_spend /* As the campaigns have it */
FROM @{client}_staging.stg_accounts AS accounts
CROSS JOIN sold
CROSS JOIN credited
CROSS JOIN spent
CROSS JOIN sources
CROSS JOIN visited