"""Tell by cause how credit and revenue moved between two versions, conversion by conversion.

Both versions are views of one connection, `then_…` and `now_…`. A conversion that came or went has one
cause. Of one that is in both, its revenue and the shares of its touchpoints may each have moved: the
shares first, at the revenue of then, and then the revenue, so both parts sum to what it moved by.
"""

from collections.abc import Collection
from datetime import datetime

import duckdb

from pipelines.explaining.causes import Cause
from pipelines.sql import literal, only_row

_CREDIT = """
CREATE TEMP TABLE {version}_credit AS
SELECT
  conversion_id, COALESCE(touchpoint_id, '') AS touchpoint, channel, campaign, position, model, method,
  COALESCE(model_version::TEXT, '') AS model_version, credit::DECIMAL(38, 18) AS credit,
  revenue::{money} AS revenue, attributed_revenue::{money} AS attributed
FROM {version}_publish.attribution_v1
WHERE is_counted
"""

_CHANGED = """
CREATE TEMP TABLE changed AS
WITH then_rows AS (
  SELECT conversion_id, touchpoint, channel, campaign, credit, attributed FROM then_credit
), now_rows AS (
  SELECT conversion_id, touchpoint, channel, campaign, credit, attributed FROM now_credit
)
SELECT DISTINCT conversion_id
FROM ((FROM then_rows EXCEPT FROM now_rows) UNION ALL (FROM now_rows EXCEPT FROM then_rows))
"""

# Of each changed conversion the touchpoints that came, went, or have another channel or campaign, and
# what a load since then says of any of them.
_TOUCHES = """
CREATE TEMP TABLE changed_touches AS
WITH then_rows AS (
  SELECT conversion_id, touchpoint, channel, campaign FROM then_credit SEMI JOIN changed USING (conversion_id)
), now_rows AS (
  SELECT conversion_id, touchpoint, channel, campaign FROM now_credit SEMI JOIN changed USING (conversion_id)
), differing AS (
  SELECT DISTINCT conversion_id, touchpoint, TRUE AS differs
  FROM ((FROM then_rows EXCEPT FROM now_rows) UNION ALL (FROM now_rows EXCEPT FROM then_rows))
), touches AS (
  SELECT DISTINCT rows.conversion_id, rows.touchpoint, COALESCE(differs, FALSE) AS differs
  FROM (FROM then_rows UNION ALL FROM now_rows) AS rows
  LEFT JOIN differing USING (conversion_id, touchpoint)
), newest AS (
  SELECT touchpoint_id AS touchpoint, MAX(loaded_at) AS loaded_at, ARG_MAX(is_deleted, loaded_at) AS is_deleted
  FROM now_journeys.touchpoints
  WHERE touchpoint_id IN (SELECT touchpoint FROM touches) GROUP BY 1
), owners AS (
  SELECT touchpoint_id AS touchpoint, MAX(loaded_at) AS owned_at
  FROM now_journeys.owned_touchpoints
  WHERE touchpoint_id IN (SELECT touchpoint FROM touches) GROUP BY 1
), known AS (
  SELECT DISTINCT touchpoint_id AS touchpoint, TRUE AS is_known FROM then_journeys.touchpoints
  WHERE touchpoint_id IN (SELECT touchpoint FROM touches)
), told AS (
  SELECT
    touches.*, COALESCE(newest.loaded_at > {then_until}, FALSE) AS is_loaded_since,
    COALESCE(newest.is_deleted, FALSE) AS is_deleted, COALESCE(is_known, FALSE) AS is_known,
    COALESCE(owned_at > {then_until}, FALSE) AS is_owned_since
  FROM touches
  LEFT JOIN newest USING (touchpoint) LEFT JOIN owners USING (touchpoint) LEFT JOIN known USING (touchpoint)
)
SELECT
  conversion_id,
  BOOL_OR(differs) AS path_differs,
  BOOL_OR(differs AND is_loaded_since AND NOT is_known) AS has_late,
  BOOL_OR(differs AND is_loaded_since AND is_known AND is_deleted) AS has_deleted,
  BOOL_OR(is_loaded_since AND is_known AND NOT is_deleted) AS has_revised,
  BOOL_OR(differs AND is_owned_since) AS has_owner
FROM told GROUP BY conversion_id
"""

_FACTS = """
CREATE TEMP TABLE facts AS
WITH then_paths AS (
  {paths_of_then}
), now_paths AS (
  {paths_of_now}
), then_known AS (
  SELECT * FROM then_journeys.conversions SEMI JOIN changed USING (conversion_id)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY loaded_at DESC) = 1
), now_known AS (
  SELECT * FROM now_journeys.conversions SEMI JOIN changed USING (conversion_id)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY loaded_at DESC) = 1
), deleted_deals AS (
  SELECT opportunity_id AS conversion_id, ARG_MAX(is_deleted, loaded_at) AS is_deleted
  FROM {deals} GROUP BY 1
)
SELECT
  conversion_id,
  NOT then_paths.conversion_id IS NULL AS was_there,
  NOT now_paths.conversion_id IS NULL AS is_there,
  then_paths.revenue AS then_revenue,
  now_paths.revenue AS now_revenue,
  then_paths.shares IS DISTINCT FROM now_paths.shares AS shares_differ,
  then_paths.model IS DISTINCT FROM now_paths.model AS model_differs,
  then_paths.model_version IS DISTINCT FROM now_paths.model_version AS learnt_differs,
  then_paths.method IS DISTINCT FROM now_paths.method AS method_differs,
  NOT then_known.conversion_id IS NULL AS was_known,
  COALESCE(now_known.loaded_at > {then_until}, FALSE) AS is_loaded_since,
  COALESCE(deleted_deals.is_deleted, now_known.conversion_type <> 'deal', FALSE) AS is_deleted,
  (then_known.original_revenue, then_known.original_currency)
    IS DISTINCT FROM (now_known.original_revenue, now_known.original_currency) AS amount_differs,
  ({row_of_then}) IS DISTINCT FROM ({row_of_now}) AS row_differs,
  COALESCE(path_differs, FALSE) AS path_differs,
  COALESCE(has_late, FALSE) AS has_late,
  COALESCE(has_deleted, FALSE) AS has_deleted,
  COALESCE(has_revised, FALSE) AS has_revised,
  COALESCE(has_owner, FALSE) AS has_owner
FROM changed
LEFT JOIN then_paths USING (conversion_id)
LEFT JOIN now_paths USING (conversion_id)
LEFT JOIN then_known USING (conversion_id)
LEFT JOIN now_known USING (conversion_id)
LEFT JOIN changed_touches USING (conversion_id)
LEFT JOIN deleted_deals USING (conversion_id)
"""
_ROW = (
    *("customer_id", "account_id", "converted_at", "conversion_type", "opened_at"),
    *("milestone_1", "milestone_2", "milestone_3"),
)
_PATHS = """SELECT
    conversion_id, MAX(revenue) AS revenue, MAX(model) AS model, MAX(model_version) AS model_version,
    MAX(method) AS method, LIST((touchpoint, channel, campaign, credit) ORDER BY position, touchpoint) AS shares
  FROM {version}_credit SEMI JOIN changed USING (conversion_id) GROUP BY conversion_id"""

_CAUSES = """
CREATE TEMP TABLE caused AS
SELECT
  *,
  CASE
    WHEN NOT was_there AND NOT is_loaded_since THEN {promotion}
    WHEN NOT was_there AND NOT was_known THEN {new}
    WHEN NOT was_there THEN {won}
    WHEN NOT is_there AND NOT is_loaded_since THEN {promotion}
    WHEN NOT is_there AND is_deleted THEN {deleted}
    WHEN NOT is_there THEN {reopened}
  END AS cause_of_presence,
  CASE
    WHEN model_differs THEN {promotion}
    WHEN row_differs AND is_loaded_since THEN {revised}
    WHEN path_differs AND has_late THEN {late}
    WHEN path_differs AND has_deleted THEN {touch_deleted}
    WHEN has_revised THEN {touch_revised}
    WHEN path_differs AND has_owner THEN {identities}
    WHEN NOT path_differs AND learnt_differs THEN {training}
    WHEN NOT path_differs AND method_differs THEN {answers}
    WHEN {has_people} AND path_differs THEN {identities}
    WHEN {has_people} THEN {revised}
    ELSE {promotion}
  END AS cause_of_shares,
  CASE
    WHEN amount_differs AND is_loaded_since THEN {revised}
    WHEN is_loaded_since AND NOT is_promoted THEN {rates}
    WHEN is_loaded_since AND NOT row_differs THEN {rates}
    ELSE {promotion}
  END AS cause_of_revenue
FROM (SELECT *, {is_promoted} AS is_promoted FROM facts)
"""

# What a conversion's touchpoints of now would have earned of its revenue of then, to the cent.
_BETWEEN = """
CREATE TEMP TABLE between_credit AS
WITH cumulated AS (
  SELECT
    now_credit.*, caused.then_revenue, caused.now_revenue, caused.shares_differ,
    SUM(credit) OVER in_order AS until_here,
    ROW_NUMBER() OVER backwards = 1 AS is_last
  FROM now_credit JOIN caused USING (conversion_id)
  WHERE was_there AND is_there
  WINDOW in_order AS (PARTITION BY conversion_id ORDER BY position, touchpoint),
    backwards AS (PARTITION BY conversion_id ORDER BY position DESC, touchpoint DESC)
), rounded AS (
  SELECT *, CASE WHEN is_last THEN then_revenue
    ELSE ROUND(then_revenue::DOUBLE * until_here::DOUBLE, {digits})::{money} END AS earned_until_here
  FROM cumulated
)
SELECT
  rounded.conversion_id, rounded.touchpoint, rounded.channel, rounded.campaign, rounded.credit,
  CASE
    WHEN then_revenue = now_revenue THEN rounded.attributed
    WHEN NOT shares_differ THEN then_credit.attributed
    ELSE earned_until_here - COALESCE(LAG(earned_until_here) OVER (
      PARTITION BY rounded.conversion_id ORDER BY rounded.position, rounded.touchpoint), 0)
  END::{money} AS attributed
FROM rounded
LEFT JOIN then_credit USING (conversion_id, touchpoint)
"""

_MOVES = """
INSERT INTO moves
SELECT cause_of_presence, channel, campaign, conversion_id, 0, credit, attributed
FROM now_credit JOIN caused USING (conversion_id) WHERE NOT was_there
UNION ALL
SELECT cause_of_presence, channel, campaign, conversion_id, 0, -credit, -attributed
FROM then_credit JOIN caused USING (conversion_id) WHERE NOT is_there
UNION ALL
SELECT cause_of_shares, channel, campaign, conversion_id, 0, -credit, -attributed
FROM then_credit JOIN caused USING (conversion_id) WHERE was_there AND is_there AND shares_differ
UNION ALL
SELECT cause_of_shares, channel, campaign, conversion_id, 0, credit, attributed
FROM between_credit JOIN caused USING (conversion_id) WHERE shares_differ
UNION ALL
SELECT cause_of_revenue, channel, campaign, conversion_id, 0, 0, -attributed
FROM between_credit JOIN caused USING (conversion_id) WHERE then_revenue <> now_revenue
UNION ALL
SELECT cause_of_revenue, channel, campaign, conversion_id, 0, 0, attributed
FROM now_credit JOIN caused USING (conversion_id)
WHERE was_there AND is_there AND then_revenue <> now_revenue
"""
_TABLES = (
    *("then_credit", "now_credit", "changed", "changed_touches", "facts", "caused"),
    "between_credit",
)


def add_credit_moves(
    opened: duckdb.DuckDBPyConnection,
    then_until: datetime,
    is_promoted: bool,
    staged: Collection[str],
) -> None:
    """Add to the table `moves` what moved credit and revenue from `then_…` to `now_…`.

    `then_until` is when the newest row of then was committed; `is_promoted` says whether other models
    made the numbers of now, and `staged` names the staging tables there. Where the CRM's people and leads
    are among them, they decide whose touches count and when a milestone was reached.
    """
    digits = _minor_digits(opened)
    known = {
        "then_until": f"TIMESTAMP '{then_until}'",
        "money": f"DECIMAL(18, {digits})",
        "digits": digits,
        "is_promoted": str(is_promoted).upper(),
        "has_people": str(not is_promoted and bool(_PEOPLE & {*staged})).upper(),
        "deals": "now_staging.stg_opportunities" if "stg_opportunities" in staged else _NO_DEALS,
        "row_of_then": ", ".join(f"then_known.{column}" for column in _ROW),
        "row_of_now": ", ".join(f"now_known.{column}" for column in _ROW),
        "paths_of_then": _PATHS.format(version="then"),
        "paths_of_now": _PATHS.format(version="now"),
    }
    causes = {cause.name.lower(): literal(cause) for cause in Cause}
    if not is_promoted:
        causes["promotion"] = literal(Cause.OTHER)
    for version in ("then", "now"):
        opened.execute(_CREDIT.format(version=version, **known))
    for statement in (_CHANGED, _TOUCHES, _FACTS, _CAUSES, _BETWEEN, _MOVES):
        opened.execute(statement.format(**known, **causes))
    for table in _TABLES:
        opened.execute(f"DROP TABLE {table}")


_PEOPLE = {"stg_contacts", "stg_contact_roles", "stg_leads"}
_NO_DEALS = (
    "(SELECT NULL::TEXT AS opportunity_id, FALSE AS is_deleted, NULL AS loaded_at WHERE FALSE)"
)


def _minor_digits(opened: duckdb.DuckDBPyConnection) -> int:
    """Return how many digits the published money has after the point, in the newer version."""
    query = "SELECT data_type FROM (DESCRIBE now_publish.attribution_v1) AS columns(column_name, data_type, a, b, c, d) WHERE column_name = 'attributed_revenue'"
    (money,) = only_row(opened.execute(query))
    return int(money.rpartition(",")[2].strip(" )") or 0) if "," in money else 0
