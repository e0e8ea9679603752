/* How fresh the client's published numbers are. One row. */
MODEL (
  name @{client}_publish.freshness_v1,
  kind FULL,
  grain client,
  blueprints @clients()
);

WITH ahead AS (
  SELECT
    COUNT(*) AS provisional_conversions,
    MIN(provisional_since) AS provisional_since
  FROM @provisional() AS provisional
)
SELECT
  client, /* The client's name in schemas and files */
  loaded_until, /* The newest row that the published numbers hold was committed then, UTC */
  late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  stale_sources, /* Sources whose newest data is older than `expected_every` allows; NULL if none */
  newest_days, /* The newest day of data of each source, such as google_ads: 2026-11-01, web: 2026-11-02 */
  warnings, /* What looks wrong in the data and is published, by source, such as a cost a thousand times its usual, or times that a zone has twice; NULL if nothing does */
  dominant_ids, /* Visitors and customers that own more than their share of touchpoints or conversions; NULL if none does */
  excluded, /* What the client's `exclude` leaves out, and by which rules; NULL if nothing */
  over_excluded, /* The same, where it is more than half of the touchpoints or conversions; NULL if it is not */
  partial_without, /* Ad platforms whose spend of some day is not there, so that all spend is too low; NULL if none */
  sessions_without_consent, /* Sessions that enter no path, because their visitor refused or withdrew consent */
  conversions, /* Won deals, purchases and the site's own conversions; or those of the types that the client counts */
  @currency AS currency, /* Of all money in the row */
  revenue, /* Of the conversions; attributed and unattributed together */
  attributed_revenue, /* What touchpoints earned */
  unattributed_revenue, /* What no touchpoint earned */
  @money(spend) AS spend, /* What the platforms charged and sessions cost, rounded once */
  ahead.provisional_conversions, /* Conversions that are credited, or taken back, ahead of the run that settles them; 0 after a run */
  ahead.provisional_since /* When the first load was committed that they were credited anew for, UTC; NULL after a run */
FROM @{client}_marts.gate
CROSS JOIN ahead