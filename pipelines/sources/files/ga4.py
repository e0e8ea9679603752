"""Read GA4's BigQuery export: the facts about its session that each event holds.

The facts are those that the event itself collected. `traffic_source` is the user's first visit, and
`session_traffic_source_last_click` the last visit that was not direct: both would credit an old
campaign with a visit it did not bring. The latter only names the campaign of a click on a Google ad.
"""

import json

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.url_values import AD_IDS, value_in
from pipelines.sources.files.urls import host, parameter
from pipelines.sql import identifier, literal

NEEDED = {"event_timestamp", "event_params"}

USED = NEEDED | {
    "user_pseudo_id",
    "user_id",
    "user_properties",
    "collected_traffic_source",
    "session_traffic_source_last_click",
}

_LISTS = ("event_params", "user_properties")
_KINDS = ("string_value", "int_value", "float_value", "double_value")
_PARAMETERS = [
    "ga_session_id",
    "page_location",
    "page_referrer",
    "source",
    "medium",
    "campaign",
    "campaign_id",
    "gclid",
]
_COLLECTED = [
    "manual_source",
    "manual_medium",
    "manual_campaign_name",
    "manual_campaign_id",
    "gclid",
    "dclid",
]
_OF_AD = ["campaign_name", "campaign_id", "ad_group_id"]

_SHAPES: dict[str, dict | list] = {
    key: [{"key": "TEXT", "value": dict.fromkeys(_KINDS, "TEXT")}] for key in _LISTS
} | {
    "collected_traffic_source": dict.fromkeys(_COLLECTED, "TEXT"),
    "session_traffic_source_last_click": {"google_ads_campaign": dict.fromkeys(_OF_AD, "TEXT")},
}

_PLACEHOLDERS = "('(not set)', '(direct)', '(organic)', '(referral)', '(none)')"


def events() -> dict[str, str]:
    """Return the facts about its session that an event holds, in SQL."""

    def collected(name: str, parameter: str, of_ad: str) -> str:
        named = f"{_real(f'collected_traffic_source.{name}')}, {_real(f'its_{parameter}')}"
        return f"COALESCE({named}, IF(clicked IS NULL, NULL, {of_ad}))"

    of_ad, campaign_of_ad, group_of_ad = (
        _real(f"session_traffic_source_last_click.google_ads_campaign.{name}") for name in _OF_AD
    )
    in_page = {name: value_in("its_page_location", name) for name in (*CLICK_IDS, *AD_IDS)}
    return {
        "session_id": "user_pseudo_id || '.' || its_ga_session_id",
        "visitor_id": "user_pseudo_id",
        "customer_id": "user_id",
        "started_at": _moment("event_timestamp"),
        "source": collected("manual_source", "source", "'google'"),
        "medium": collected("manual_medium", "medium", "'cpc'"),
        "campaign": collected("manual_campaign_name", "campaign", of_ad),
        "referrer": (
            f"IF({host('its_page_referrer')} = {host('its_page_location')}, NULL, its_page_referrer)"
        ),
        **in_page,
        "gclid": "clicked",
        "dclid": f"COALESCE(collected_traffic_source.dclid, {in_page['dclid']})",
        "campaign_id": f"COALESCE({collected('manual_campaign_id', 'campaign_id', campaign_of_ad)}, {in_page['campaign_id']})",
        "ad_group_id": f"COALESCE(IF(clicked IS NULL, NULL, {group_of_ad}), {in_page['ad_group_id']})",
    }


def column(name: str) -> str:
    """Return the column that a name under `columns:`, as `user_properties.crm_id`, is read from."""
    return name.partition(".")[0]


def overridden(column: str, name: str) -> str:
    """Return SQL for the value under a name."""
    return _moment(_value(name)) if column == "started_at" else _value(name)


def parsed(rows: Rows) -> str:
    """Return SQL for the events: each part of an event is looked up once."""
    columns = {name: "NULL" for name in USED} | rows.columns
    typed = ", ".join(
        f"{_typed(name, value, rows.nested)} AS {identifier(name)}"
        for name, value in columns.items()
    )
    keys = ", ".join(
        f"LIST_TRANSFORM({name}, lambda entry: entry.key) AS {name}_keys" for name in _LISTS
    )
    found = ", ".join(f"{_entry('event_params', name)} AS found_{name}" for name in _PARAMETERS)
    its = ", ".join(f"{_parameter_value(f'found_{name}')} AS its_{name}" for name in _PARAMETERS)
    clicked = f"""COALESCE(
      collected_traffic_source.gclid, its_gclid, {parameter("its_page_location", "gclid")}
    ) AS clicked"""
    relation = f"(SELECT {typed} FROM {rows.relation})"
    for step in (keys, found, its, clicked):
        relation = f"(SELECT *, {step} FROM {relation})"
    return relation


def _typed(name: str, value: str, is_nested: bool) -> str:
    if name not in _SHAPES:
        return value
    if is_nested or value == "NULL":
        return f"CAST({value} AS {_type(_SHAPES[name])})"
    return f"from_json({value}, {literal(json.dumps(_SHAPES[name]))})"


def _type(shape: str | dict | list) -> str:
    if isinstance(shape, list):
        return f"{_type(shape[0])}[]"
    if isinstance(shape, dict):
        return f"STRUCT({', '.join(f'{name} {_type(part)}' for name, part in shape.items())})"
    return shape


def _value(name: str) -> str:
    """Return SQL for the value under a name: a column, a part of it, or a parameter by its key."""
    column, _, rest = name.partition(".")
    if column in _LISTS:
        return _parameter_value(_entry(column, rest))
    if rest:
        path = literal("/" + rest.replace(".", "/"))
        return f"json_extract_string(CAST({identifier(column)} AS JSON), {path})"
    return identifier(column)


def _entry(column: str, key: str) -> str:
    return f"{column}[LIST_POSITION({column}_keys, {literal(key)})].value"


def _parameter_value(entry: str) -> str:
    return f"COALESCE({', '.join(f'({entry}).{kind}' for kind in _KINDS)})"


def _real(value: str) -> str:
    return f"IF({value} IN {_PLACEHOLDERS}, NULL, {value})"


def _moment(value: str) -> str:
    """Return SQL for a time: microseconds since 1970, or as it is written."""
    return f"COALESCE(make_timestamp(TRY_CAST({value} AS BIGINT))::TEXT, {value}::TEXT)"
