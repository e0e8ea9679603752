"""Say why a conversion has no credit, is in no total, or is not known at all."""

from datetime import datetime
from typing import Any

import duckdb

from pipelines.explaining.bringing_loads import Load, rows_of
from pipelines.explaining.path_touches import Touch, rules_of
from pipelines.explaining.quarantined import quarantined
from pipelines.settings.client import Client

_NEWEST = "SELECT {columns} FROM {table} WHERE {key} = $id ORDER BY loaded_at DESC LIMIT 1"


def state_of(
    opened: duckdb.DuckDBPyConnection,
    settings: Client,
    conversion_id: str,
    credit: list[dict[str, Any]],
    left_out: list[Touch],
) -> list[str]:
    """Return why a known conversion is not, or not wholly, among what channels have earned."""
    if not credit:
        return [_without_credit(opened, settings, conversion_id)]
    reasons = []
    if not credit[0]["is_counted"]:
        kind = credit[0]["conversion_type"]
        reasons.append(
            f"not counted: the type {kind} is in attribution_v1 and conversions_by_type, and in no total"
            f" of campaigns; conversions.{kind}.counts: true would count it"
        )
    if not credit[0]["is_attributed"]:
        reasons.append(f"unattributed: {_without_touches(credit[0], left_out)}")
    return reasons


def _without_touches(row: dict[str, Any], left_out: list[Touch]) -> str:
    customer = row["customer_id"]
    if customer is None:
        return "its source does not say which customer it is of, so no touchpoint leads to it"
    if not left_out:
        return f"no touchpoint of its customer {customer} is known"
    whys = list(dict.fromkeys(touch.why for touch in left_out))
    return f"{len(left_out)} touchpoints of its customer {customer} are known, none on the path: {'; '.join(whys)}"


def _without_credit(opened: duckdb.DuckDBPyConnection, settings: Client, conversion_id: str) -> str:
    """Return why a conversion that is known is none now."""
    client = settings.id
    columns = "conversion_type, customer_id, account_id, is_withdrawn, excluded_by, revenue"
    query = _NEWEST.format(
        columns=columns, table=f"{client}_journeys.conversions", key="conversion_id"
    )
    kind, customer, account, is_withdrawn, excluded_by, revenue = _row(opened, query, conversion_id)
    if excluded_by:
        return f"left out by exclude: {excluded_by}"
    if not is_withdrawn:
        why = "no rate of its day is known" if revenue is None else "it waits to be credited"
        return f"not credited in this version: {why}"
    counted_before = opened.execute(
        f"SELECT COUNT(*) FROM {client}_journeys.conversions WHERE conversion_id = $id AND NOT is_withdrawn",
        {"id": conversion_id},
    ).fetchall()[0][0]
    if why := _gone_from_source(opened, client, kind, conversion_id, bool(counted_before)):
        return why
    if rules_of(settings, kind).counting == "first":
        whose = account or customer
        first = _first(opened, client, kind, whose)
        return f"not counted: only the first {kind} of {whose} counts, which is {first or 'another one'}"
    return "taken back by its source: it is deleted, or no conversion any more"


def _gone_from_source(
    opened: duckdb.DuckDBPyConnection,
    client: str,
    kind: str,
    conversion_id: str,
    was_won: bool,
) -> str:
    """Return what its source says of a conversion that is taken back; nothing where it stands."""
    if kind == "deal":
        query = _NEWEST.format(
            columns="stage, is_won, is_deleted",
            table=f"{client}_staging.stg_opportunities",
            key="opportunity_id",
        )
        stage, is_won, is_deleted = _row(opened, query, conversion_id)
        if is_deleted:
            return "deleted: its CRM says so, or a full export lacks it"
        if not is_won:
            reopened = "reopened: it was won before, and is not now" if was_won else "not won"
            return f"{reopened}; its stage is {stage or 'not said'}"
    elif kind != "site":
        query = _NEWEST.format(
            columns="is_deleted", table=f"{client}_staging.stg_events", key="event_id"
        )
        if (row := _row(opened, query, conversion_id)) and row[0]:
            return "deleted: a full export lacks it"
    return ""


def _first(
    opened: duckdb.DuckDBPyConnection, client: str, kind: str, whose: str | None
) -> str | None:
    rows = opened.execute(
        f"""SELECT conversion_id FROM attribution_v1 AS credit
        JOIN (SELECT DISTINCT conversion_id, account_id FROM {client}_journeys.conversions) AS accounts
          USING (conversion_id)
        WHERE conversion_type = $kind AND $whose IN (customer_id, account_id)
        ORDER BY converted_at LIMIT 1""",
        {"kind": kind, "whose": whose},
    ).fetchall()
    return rows[0][0] if rows else None


def unknown(
    opened: duckdb.DuckDBPyConnection,
    client: str,
    conversion_id: str,
    loads: dict[datetime, Load],
) -> str:
    """Return what is known of an id that is no conversion of the version shown."""
    said = f"{client}: {conversion_id} is no conversion of the version shown"
    if event := _event(opened, client, conversion_id):
        return f"{said}: it is an event {event}, which the client's file calls no conversion"
    for row in rows_of(client, list(loads.values()), [conversion_id]):
        at = f"{row.load.committed_at:%Y-%m-%d %H:%M} UTC"
        brought = (
            f"load {row.load.load_id} of {row.load.source} brought it at {at} from {row.place}"
        )
        if row.table in ("opportunities", "events", "conversions"):
            return f"{said}, yet {brought}: the next make daily publishes it"
        return f"{said}, but a row of {row.load.source}.{row.table}: {brought}"
    if reason := quarantined(client, conversion_id, loads.values()):
        return f"{said}: {reason}"
    near = _near(opened, client, conversion_id)
    meant = f"did you mean {', '.join(near)}?" if near else "there are no conversions"
    return f"{said}, and no load or quarantine has it; {meant}"


def _event(opened: duckdb.DuckDBPyConnection, client: str, conversion_id: str) -> str | None:
    query = _NEWEST.format(
        columns="event_type", table=f"{client}_staging.stg_events", key="event_id"
    )
    row = _row(opened, query, conversion_id)
    return row[0] if row else None


def _near(opened: duckdb.DuckDBPyConnection, client: str, conversion_id: str) -> list[str]:
    """Return the ids that are most like one that nobody knows."""
    rows = opened.execute(
        f"""SELECT DISTINCT conversion_id, JARO_WINKLER_SIMILARITY(conversion_id, $id) AS likeness
        FROM {client}_journeys.conversions ORDER BY likeness DESC, conversion_id LIMIT 3""",
        {"id": conversion_id},
    ).fetchall()
    return [name for name, _ in rows]


def _row(opened: duckdb.DuckDBPyConnection, query: str, conversion_id: str) -> Any:
    """Return the first row of a query; None where there is none, or a version has not the table."""
    try:
        return opened.execute(query, {"id": conversion_id}).fetchone()
    except duckdb.CatalogException:
        return None
