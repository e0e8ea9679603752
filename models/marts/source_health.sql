/* What is loaded, halted, late, left out or without consent, over all of the client's sources. One row. */
MODEL (
  name @{client}_marts.source_health,
  kind EMBEDDED,
  grain loaded_until,
  blueprints @clients()
);

WITH loads AS (
  SELECT
    MAX(loaded_until) AS loaded_until
  FROM @{client}_staging.stg_load_counts
), statuses AS (
  SELECT
    @listed(CONCAT(source, ': ', problem), '; ', code IN ('refused', 'failed')) AS halted_sources,
    @listed(CONCAT(source, ': ', code), '; ', NOT code IN ('ok', 'stale', 'refused', 'failed')) AS late_sources,
    @listed(source, ', ', code = 'stale') AS stale_sources,
    @listed(CONCAT(source, ': ', newest_day), ', ', NOT newest_day IS NULL) AS newest_days,
    @listed(CONCAT(source, ': ', warnings), '; ', NOT warnings IS NULL) AS warnings
  FROM @{client}_marts.source_status
), gaps AS (
  SELECT
    @listed(platform, ', ') AS partial_without
  FROM @{client}_marts.spend_gaps
), owners AS (
  SELECT
    @listed(
      owner || ' ' || id || ': ' || rows_owned || ' of ' || rows_in_all || ' ' || owned || ' (' || ROUND(100.0 * rows_owned / rows_in_all)::INT || ' %)',
      '; '
    ) AS dominant_ids
  FROM @{client}_marts.dominant_ids
), left_out AS (
  SELECT
    left_out || ': ' || SUM(rows_left_out) || ' of ' || MAX(rows_in_all) || ' by ' || @listed(rule, ', ') AS by_rules,
    SUM(rows_left_out) * 2 > MAX(rows_in_all) AS is_much
  FROM @optional(@has_exclusions, @client, marts.exclusions) AS exclusions
  GROUP BY
    left_out
), exclusions AS (
  SELECT
    @listed(by_rules, '; ') AS excluded,
    @listed(by_rules, '; ', is_much) AS over_excluded
  FROM left_out
), undecided AS (
  SELECT
    MAX(warnings) AS warnings
  FROM @optional(@has_conditions, @client, marts.undecided_events) AS undecided_events
), amiss AS (
  SELECT
    MAX(warnings) AS warnings
  FROM @optional(@has_refunds, @client, marts.refunds_amiss) AS refunds_amiss
)
SELECT
  loads.loaded_until, /* When the newest row was committed, UTC; NULL before the first */
  statuses.halted_sources, /* Sources whose last delivery was refused, and why; NULL if none */
  statuses.late_sources, /* Sources that lack data because their platform did not answer, and why; NULL if none */
  statuses.stale_sources, /* Sources whose newest data is older than it should be; NULL if none */
  statuses.newest_days, /* The newest day of data of each source, such as google_ads: 2026-11-01, web: 2026-11-02 */
  NULLIF(CONCAT_WS('; ', statuses.warnings, undecided.warnings, amiss.warnings), '') AS warnings, /* What looks wrong in the data and holds nobody, by source; NULL if nothing does */
  owners.dominant_ids, /* Visitors and customers that own more than their share of touchpoints or conversions; NULL if none does */
  exclusions.excluded, /* What the client's `exclude` leaves out, and by which rules; NULL if nothing */
  exclusions.over_excluded, /* The same, where it is more than half of the touchpoints or conversions; NULL if it is not */
  gaps.partial_without, /* Ad platforms whose spend of some day is not there; NULL if none */
  consent.sessions_without_consent /* Sessions that enter no path, because their visitor refused or withdrew consent */
FROM loads
CROSS JOIN statuses
CROSS JOIN gaps
CROSS JOIN owners
CROSS JOIN exclusions
CROSS JOIN undecided
CROSS JOIN amiss
CROSS JOIN @{client}_marts.consent AS consent