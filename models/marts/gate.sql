/* What would be published now, beside what the sources say; the published tables wait for its audits. One row. */
MODEL (
  name @{client}_marts.gate,
  kind FULL,
  grain (
    client
  ),
  blueprints @clients(),
  audits (
    no_source_halted,
    money_priced,
    revenue_conserved,
    spend_conserved,
    weights_are_numbers,
    rows_make_numbers,
    no_id_dominates
  )
);

SELECT
  @client_name AS client, /* The client's name in schemas and files */
  health.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  health.halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  health.late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  health.stale_sources, /* Sources whose newest data is older than it should be; NULL if none */
  health.newest_days, /* The newest day of data of each source, such as google_ads: 2026-11-01, web: 2026-11-02 */
  health.warnings, /* What looks wrong in the data and holds nobody, by source; NULL if nothing does */
  health.dominant_ids, /* Visitors and customers that own more than their share of touchpoints or conversions; NULL if none does */
  @dominant_id_holds AND NOT health.dominant_ids IS NULL AS held_for_ids, /* That holds the client, by its settings */
  health.excluded, /* What the client's `exclude` leaves out, and by which rules; NULL if nothing */
  health.over_excluded, /* The same, where it is more than half of the touchpoints or conversions; NULL if it is not */
  health.partial_without, /* Ad platforms whose spend of some day is not there; NULL if none */
  health.sessions_without_consent, /* Sessions that enter no path, because their visitor refused or withdrew consent */
  conversions.conversions, /* As the sources have them */
  conversions.credited_conversions, /* Conversions that have credit */
  conversions.revenue, /* Of the conversions, as the sources have it */
  conversions.attributed_revenue, /* What touchpoints earned */
  conversions.unattributed_revenue, /* What no touchpoint earned */
  conversions.mismatched_types, /* Types of conversions whose credit is not what the sources have; NULL if none */
  spend.spend, /* As the platforms and the sessions' costs have it */
  spend.reported_spend, /* As the campaigns have it */
  spend.unpriced, /* The first five currencies and days without a rate that some money needs; NULL if none */
  weights.faulty_weights, /* What is wrong with weights of the client's own models, and of how many touchpoints; NULL if nothing is */
  CASE
    WHEN publishable.is_empty AND NOT @may_be_empty
    THEN publishable.rows_loaded
  END AS fruitless_rows /* Rows that were loaded by source and table, where nothing came of any; NULL if something did, or nothing need */
FROM @{client}_marts.source_health AS health
CROSS JOIN @{client}_marts.conversions_compared AS conversions
CROSS JOIN @{client}_marts.spend_compared AS spend
CROSS JOIN @{client}_marts.publishable AS publishable
LEFT JOIN @optional(@has_own_weights, @client, marts.faulty_weights) AS weights
  ON TRUE