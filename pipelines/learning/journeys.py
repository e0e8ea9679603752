"""Read the journeys to learn from out of a warehouse: those that converted, and those that did not."""

from datetime import datetime

import duckdb
import pyarrow as pa

from pipelines.attribution.ownership import owners
from pipelines.attribution.path_transforms import transformed
from pipelines.settings.client import Client
from pipelines.settings.conversions import rules
from pipelines.settings.exclusions import excluded_customers

PERSON_GROUPS = 16

_PATHS = """
WITH newest AS (
  SELECT conversion_id, MAX(revised_at) AS revised_at FROM {client}_journeys.revisions
  WHERE revised_at <= $now GROUP BY conversion_id
), converting AS (
  SELECT
    COALESCE('customer ' || MAX(customer_id), conversion_id) AS person,
    COALESCE(MAX(revenue), 0) AS revenue, list(channel ORDER BY position) AS path
  FROM {client}_journeys.paths JOIN newest USING (conversion_id, revised_at)
  WHERE touchpoint_id IS NOT NULL AND COALESCE(revenue, 0) >= 0 AND conversion_type IN $types
  GROUP BY conversion_id
), touchpoints AS (
  SELECT touchpoint_id, visitor_id FROM {client}_journeys.touchpoints WHERE loaded_at <= $now
  QUALIFY ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1 AND NOT is_deleted
), owned AS (
  SELECT * FROM {client}_journeys.owned_touchpoints WHERE loaded_at <= $now
  QUALIFY ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1
  UNION ALL BY NAME  -- a warehouse that waits for its promotion since before 0.11 knows no next one
  SELECT NULL::TEXT AS next_customer_id, NULL::TIMESTAMP AS next_seen_at WHERE FALSE
), touches AS (
  SELECT COALESCE('customer ' || customer_id, 'visitor ' || visitor_id) AS person, *
  FROM touchpoints JOIN {owners} AS owned USING (touchpoint_id)
  WHERE ({excluded}) IS NULL
), conversions AS (
  SELECT customer_id, converted_at FROM (
    FROM {client}_journeys.conversions WHERE loaded_at <= $now
    QUALIFY ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY loaded_at DESC) = 1
  ) WHERE NOT is_withdrawn AND conversion_type IN $types
), unclaimed AS (
  SELECT touches.*
  FROM touches ASOF LEFT JOIN conversions
    ON touches.customer_id = conversions.customer_id
    AND GREATEST(touches.touched_at, touches.owned_from) <= conversions.converted_at
  WHERE person IS NOT NULL
    AND NOT COALESCE(converted_at <= touched_at + $lookback::INTERVAL AND converted_at < owned_until, FALSE)
), owned_at_the_end AS (
  SELECT * EXCLUDE (begins, journey, ends_at) FROM {journeys_of_unclaimed}
  WHERE ends_at >= owned_from AND ends_at < owned_until
), complete_touches AS (
  SELECT *, BOOL_AND(is_direct) OVER (PARTITION BY person, journey) AS all_direct
  FROM {journeys_of_owned}
), candidates AS (
  SELECT concat(person, ' ', journey) AS conversion_id, NULL AS revised_at, person,
    touchpoint_id, touched_at, channel, campaign
  FROM complete_touches
  WHERE ends_at < $now AND (
    NOT is_direct OR $direct = 'include' OR ($direct = 'fallback' AND all_direct)
  )
), ending AS (
  SELECT MAX(person) AS person, list(channel ORDER BY touched_at, touchpoint_id) AS path
  FROM {transformed} AS transformed GROUP BY conversion_id
)
SELECT
  path, (md5_number_lower(person) % {groups})::INT AS person_group,
  SUM(converted) AS conversions, SUM(1 - converted) AS nulls, SUM(revenue)::DOUBLE AS revenue
FROM (
  SELECT path, person, 1 AS converted, revenue FROM converting
  UNION ALL SELECT path, person, 0, 0 FROM ending
)
GROUP BY ALL ORDER BY path, person_group
"""

# Number a person's journeys, of touches with no gap longer than the lookback; each ends a lookback after its last.
_CHAINED = """(
  SELECT *, MAX(touched_at) OVER (PARTITION BY person, journey) + $lookback::INTERVAL AS ends_at
  FROM (
    SELECT *, COUNT(*) FILTER (begins) OVER in_order AS journey
    FROM (
      SELECT *, touched_at > LAG(touched_at) OVER in_order + $lookback::INTERVAL AS begins FROM {touches}
      WINDOW in_order AS (PARTITION BY person ORDER BY touched_at, touchpoint_id)
    ) WINDOW in_order AS (PARTITION BY person ORDER BY touched_at, touchpoint_id)
  )
)"""


def journeys(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> pa.Table:
    """Return the client's paths as published: `path` (channels, oldest first), `conversions`, `nulls`.

    A row is a path and one of PERSON_GROUPS groups of people, by a hash of who they are: `person_group`.
    `revenue` is that of its conversions. What was loaded after `now` is not there yet.

    Only types of conversions that count are learnt from. A conversion has the touchpoints that may
    earn its credit, by its newest revision; one without any, and a refund, is left out. A null path
    is one person's, a customer or else a visitor: the touchpoints that no conversion of theirs
    follows within the lookback, the longest of these types, with no gap longer than that, by the
    client's rule for direct ones, and shortened by its path transforms. Whose an anonymous touchpoint
    is, is asked as of the end: the last touchpoint's time and the lookback. A null path counts once the
    lookback is over, at `now` (UTC): until then it may convert. Raise duckdb.Error where there are no journeys yet.
    """
    attribution = client.attribution
    every_type = rules(client.conversions, attribution).items()
    types = {name: one.attribution.lookback_days for name, one in every_type if one.counts}
    return connection.execute(
        _PATHS.format(
            client=client.id,
            excluded=excluded_customers(client.exclude, ["owned.customer_id"]),
            transformed=transformed(attribution.path_steps, "candidates"),
            owners=owners("owned"),
            journeys_of_unclaimed=_CHAINED.format(touches="unclaimed"),
            journeys_of_owned=_CHAINED.format(touches="owned_at_the_end"),
            groups=PERSON_GROUPS,
        ),
        {
            "lookback": f"{max(types.values(), default=attribution.lookback_days)} days",
            "direct": attribution.direct_touches,
            "now": now,
            "types": list(types),
        },
    ).to_arrow_table()
