"""Show the touchpoints of a conversion's path with their weights, and those that are not on it, and why."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.attribution.ownership import owners
from pipelines.blueprints.model_choice import weight
from pipelines.settings.client import Client
from pipelines.settings.conversions import Rules, rules


class Touch(NamedTuple):
    """A touchpoint: on the path, with what it earned; or not on it, and why."""

    touchpoint_id: str
    touched_at: datetime
    channel: str
    campaign: str
    position: int | None  # 1 for the first of the path; NULL where it is not on it
    weight: float | None  # by the model; NULL where the model's score is not kept with the version
    credit: float | None
    revenue: Any
    loaded_at: datetime | None  # of the version of the touchpoint that counts
    owner_known_at: datetime | None  # of the load that told whose it is, where that is a later one
    why: str = ""  # it is not on the path

    @property
    def row_key(self) -> str:
        """Return the key of its row in the log."""
        return self.touchpoint_id.removeprefix("event:")


def rules_of(settings: Client, conversion_type: str) -> Rules:
    """Return by what window and model a type of conversions is credited."""
    found = rules(settings.conversions, settings.attribution)
    return found.get(conversion_type) or found["deal"]


_NEWEST = """(SELECT * FROM {table} WHERE touchpoint_id IN ({wanted}) QUALIFY
  ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1)"""
_OF_THE_PATH = "SELECT touchpoint_id FROM attribution_v1 WHERE conversion_id = $id"


def path_touches(
    opened: duckdb.DuckDBPyConnection, settings: Client, credit: list[dict[str, Any]]
) -> list[Touch]:
    """Return the touchpoints that earned a conversion's credit, in their order."""
    if not credit or not credit[0]["is_attributed"]:
        return []
    weights = _weights(opened, settings, credit[0])
    loaded = _loaded(opened, settings.id, credit[0]["conversion_id"])
    return [
        Touch(
            row["touchpoint_id"],
            row["touched_at"],
            row["channel"],
            row["campaign"],
            row["position"],
            weights.get(row["touchpoint_id"]),
            row["credit"],
            row["attributed_revenue"],
            *loaded.get(row["touchpoint_id"], (None, None)),
        )
        for row in credit
    ]


def _loaded(
    opened: duckdb.DuckDBPyConnection, client: str, conversion_id: str
) -> dict[str, tuple[datetime, datetime | None]]:
    """Return when each touchpoint's newest version was loaded, and its owner was known, if later."""
    owned, newest = (
        _NEWEST.format(table=f"{client}_journeys.{table}", wanted=_OF_THE_PATH)
        for table in ("owned_touchpoints", "touchpoints")
    )
    return {
        touchpoint: (loaded_at, owned_at if owned_at and owned_at > loaded_at else None)
        for touchpoint, loaded_at, owned_at in opened.execute(
            f"""SELECT touchpoint_id, touchpoints.loaded_at, owned.loaded_at FROM {newest} AS touchpoints
            LEFT JOIN {owned} AS owned USING (touchpoint_id)""",
            {"id": conversion_id},
        ).fetchall()
    }


def _weights(
    opened: duckdb.DuckDBPyConnection, settings: Client, row: dict[str, Any]
) -> dict[str, float]:
    """Return what each touchpoint of a path weighs by the model that shared it, where that is known.

    A model that learns of channels weighs by the version that the credit names; the scores of IHC, and
    the milestones of a deal, are not kept with a version.
    """
    model = row["model"]
    attribution = rules_of(settings, row["conversion_type"]).attribution
    if model in LEARNED_MODELS:
        formula, joined = _learned(model, row)
    elif model == attribution.model:
        formula, joined = weight(attribution.model_copy(update={"compare": []})), ""
    else:  # the version was published by other settings than those that are known
        return {}
    newest = _NEWEST.format(table=f"{settings.id}_journeys.touchpoints", wanted=_OF_THE_PATH)
    query = f"""
    WITH touches AS (
      SELECT credit.*, touchpoints.is_direct, touchpoints.holder_engagement, touchpoints.closer_engagement,
        NULL::TIMESTAMP AS revised_at,
        DATE_DIFF('SECOND', credit.touched_at, converted_at) AS age_seconds,
        BOOL_AND(touchpoints.is_direct) OVER () AS path_is_direct,
        MIN(DATE_DIFF('SECOND', credit.touched_at, converted_at)) OVER () AS newest_age_seconds,
        COUNT(CASE WHEN NOT touchpoints.is_direct THEN 1 END) OVER (
          ORDER BY position ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS non_direct_after
      FROM attribution_v1 AS credit JOIN {newest} AS touchpoints USING (touchpoint_id)
      WHERE credit.conversion_id = $id
    )
    SELECT touchpoint_id, ({formula})::DOUBLE FROM touches {joined}"""
    with suppress(duckdb.BinderException, duckdb.CatalogException):
        return dict(opened.execute(query, {"id": row["conversion_id"]}).fetchall())
    return {}


def _learned(model: str, row: dict[str, Any]) -> tuple[str, str]:
    """Return the weight of a touchpoint by what a model has learnt of its channel, and the tables of it."""
    learnt = f"""(SELECT channel, weight FROM channel_values_v1
      WHERE model = '{model}' AND version = '{row["model_version"]}')"""
    median = f"(SELECT MEDIAN(weight) FROM {learnt})"
    of_the_channel = "COUNT(*) OVER (PARTITION BY touches.channel)"
    return f"COALESCE(learnt.weight, {median}) / {of_the_channel}", (
        f"LEFT JOIN {learnt} AS learnt USING (channel)"
    )


def left_out_touches(
    opened: duckdb.DuckDBPyConnection, settings: Client, conversion_id: str
) -> list[Touch]:
    """Return the touchpoints of a conversion's people that are not on its path, the newest first."""
    has_contacts = settings.attribution.journeys == "account"
    query = _LEFT_OUT.format(
        client=settings.id,
        contacts=_CONTACTS.format(client=settings.id) if has_contacts else "",
        owners=owners("owned"),
    )
    found = [
        Touch(
            touchpoint,
            touched_at,
            channel,
            campaign,
            None,
            None,
            None,
            None,
            loaded_at,
            None,
            _why(settings, touched_at, *facts),
        )
        for touchpoint, touched_at, channel, campaign, loaded_at, *facts in opened.execute(
            query, {"id": conversion_id}
        ).fetchall()
    ]
    return sorted(found, key=lambda touch: (touch.touched_at, touch.touchpoint_id), reverse=True)


# The customer of the conversion, and where journeys are those of accounts, the contacts of its account.
_CONTACTS = """
  UNION
  SELECT UNNEST([LOWER(contact_id), LOWER(email)])
  FROM {client}_staging.stg_contacts JOIN conversion USING (account_id)
"""
_LEFT_OUT = """
WITH conversion AS (
  SELECT * FROM {client}_journeys.conversions WHERE conversion_id = $id
  ORDER BY loaded_at DESC LIMIT 1
), people AS (
  SELECT customer_id FROM conversion
  UNION
  SELECT LOWER(customer_id) FROM conversion
  {contacts}
), candidates AS (
  SELECT touchpoint_id FROM {client}_journeys.touchpoints SEMI JOIN people USING (customer_id)
  UNION
  SELECT touchpoint_id FROM {client}_journeys.owned_touchpoints
  WHERE customer_id IN (FROM people) OR next_customer_id IN (FROM people)
), touchpoints AS (
  SELECT * FROM {client}_journeys.touchpoints SEMI JOIN candidates USING (touchpoint_id)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1
), owned AS (
  SELECT touchpoint_id, customer_id, next_customer_id, next_seen_at
  FROM {client}_journeys.owned_touchpoints SEMI JOIN candidates USING (touchpoint_id)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1
)
SELECT DISTINCT ON (touchpoint_id)
  touchpoint_id, touchpoints.touched_at, touchpoints.channel, touchpoints.campaign,
  touchpoints.loaded_at, touchpoints.is_deleted, touchpoints.excluded_by, touchpoints.is_direct,
  conversion_type, converted_at,
  COALESCE(converted_at < owned_from OR converted_at >= owned_until, FALSE) AS is_anothers
FROM touchpoints
CROSS JOIN conversion
LEFT JOIN {owners} AS owners USING (touchpoint_id)
WHERE COALESCE(touchpoints.customer_id, owners.customer_id) IN (FROM people)
  AND touchpoint_id NOT IN (
    SELECT touchpoint_id FROM attribution_v1
    WHERE conversion_id = $id AND NOT touchpoint_id IS NULL
  )
ORDER BY touchpoint_id, is_anothers
"""


def _why(
    settings: Client,
    touched_at: datetime,
    is_deleted: bool,
    excluded_by: str | None,
    is_direct: bool,
    conversion_type: str,
    converted_at: datetime | None,
    is_anothers: bool,
) -> str:
    """Return why a touchpoint of the customer is not on the path."""
    type_rules = rules_of(settings, conversion_type)
    days, direct = type_rules.attribution.lookback_days, settings.attribution.direct_touches
    if excluded_by:
        return f"left out by exclude: {excluded_by}"
    if is_deleted:
        return "taken back by its source, or without consent"
    if not converted_at:
        return "nothing is won yet"
    if touched_at > converted_at:
        return "after the conversion"
    if touched_at < converted_at - timedelta(days=days):
        return f"before the lookback of {days} days"
    if is_anothers:
        return "of another customer, seen on its browser"
    if is_direct and direct != "include":
        only = "never earns" if direct == "exclude" else "earns where nothing else does"
        return f"direct: {only} (direct_touches: {direct})"
    if settings.attribution.journeys == "account":
        return "of nobody who takes part in the deal, or known since it was credited last"
    if settings.attribution.path:
        return "left out by a step of attribution.path"
    return "known since the conversion was credited last"
