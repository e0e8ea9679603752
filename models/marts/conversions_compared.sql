/* The conversions that count, as the sources have them and as they are credited. One row. */
MODEL (
  name @{client}_marts.conversions_compared,
  kind EMBEDDED,
  grain conversions,
  blueprints @clients()
);

SELECT
  COALESCE(SUM(CASE WHEN is_counted THEN conversions END), 0) AS conversions, /* As the sources have them */
  COALESCE(SUM(CASE WHEN is_counted THEN credited_conversions END), 0) AS credited_conversions, /* Conversions that have credit */
  COALESCE(SUM(CASE WHEN is_counted THEN revenue END), 0) AS revenue, /* Of the conversions, as the sources have it */
  COALESCE(SUM(CASE WHEN is_counted THEN attributed_revenue END), 0) AS attributed_revenue, /* What touchpoints earned */
  COALESCE(SUM(CASE WHEN is_counted THEN unattributed_revenue END), 0) AS unattributed_revenue, /* What no touchpoint earned */
  @listed(conversion_type, ', ', NOT is_conserved) AS mismatched_types /* Types of conversions whose credit is not what the sources have; NULL if none */
FROM @{client}_marts.conversion_totals