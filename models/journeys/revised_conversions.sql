/* Each conversion as it was known at each of its revisions, taken back or not. One row per conversion and revision. */
MODEL (
  name @{client}_journeys.revised_conversions,
  kind EMBEDDED,
  grain (conversion_id, revised_at),
  blueprints @clients()
);

SELECT
  conversions.conversion_id, /* The conversion being explained */
  conversions.conversion_type, /* deal, purchase, site, or what the client calls the event */
  conversions.customer_id, /* NULL if unknown */
  conversions.converted_at, /* UTC; NULL while a deal is open */
  conversions.revenue, /* In the client's currency */
  conversions.is_withdrawn, /* Not won yet, reopened or deleted: no conversion as of this version */
  revisions.revised_at /* Of the revision, UTC; the newest one holds */
FROM @{client}_journeys.revisions AS revisions
JOIN @history(@{client}_journeys.conversions, conversion_id) AS conversions
  ON revisions.conversion_id = conversions.conversion_id
  AND revisions.revised_at >= conversions.valid_from
  AND revisions.revised_at < conversions.valid_until