/* What the sources have of each type of conversions, beside what is credited. One row per type. */
MODEL (
  name @{client}_marts.conversion_totals,
  kind FULL,
  grain conversion_type,
  blueprints @clients()
);

WITH credited AS (
  SELECT
    conversion_type,
    COUNT(DISTINCT conversion_id) AS conversions,
    SUM(CASE WHEN is_attributed THEN attributed_revenue END) AS attributed_revenue,
    SUM(CASE WHEN NOT is_attributed THEN attributed_revenue END) AS unattributed_revenue
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
  FROM @{client}_marts.sold_conversions AS sold
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