"""Read GA4's BigQuery export: the facts about its session that each event holds.

The facts are those that the event itself collected. `traffic_source` is the user's first visit, and
`session_traffic_source_last_click` the last visit that was not direct: both would credit an old
campaign with a visit it did not bring. The latter only names the campaign of a click on a Google ad.
"""

import json
from collections.abc import Mapping, Sequence

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import Facts, among, worth
from pipelines.sources.files.url_values import AD_IDS, value_in
from pipelines.sources.files.urls import host, parameter
from pipelines.sql import identifier, literal

NEEDED = {"event_timestamp", "event_params"}

_OF_ALL = NEEDED | {"event_name", "user_pseudo_id", "user_id"}
_OF_SALES = _OF_ALL | {"ecommerce", "items"}
USED = {
    "sessions": _OF_ALL
    | {
        "user_properties",
        "collected_traffic_source",
        "session_traffic_source_last_click",
        "privacy_info",
    },
    "conversions": _OF_SALES,
    "refunds": _OF_SALES,
}

EVENTS = {"conversions": ("purchase",), "refunds": ("refund",)}

_LISTS = ("event_params", "user_properties")
_KINDS = ("string_value", "int_value", "float_value", "double_value")
_OF_SALE = ["transaction_id", "value", "currency"]
_PARAMETERS = {
    "sessions": [
        "ga_session_id",
        "page_location",
        "page_referrer",
        "source",
        "medium",
        "campaign",
        "campaign_id",
        "gclid",
    ],
    "conversions": _OF_SALE,
    "refunds": _OF_SALE,
}
_COLLECTED = [
    "manual_source",
    "manual_medium",
    "manual_campaign_name",
    "manual_campaign_id",
    "gclid",
    "dclid",
]
_AMOUNTS = ["purchase_revenue", "refund_value"]
_ECOMMERCE = ["transaction_id", *_AMOUNTS, *(f"{name}_in_usd" for name in _AMOUNTS)]
_OF_AD = ["campaign_name", "campaign_id", "ad_group_id"]

_SHAPES: dict[str, dict | list] = {
    key: [{"key": "TEXT", "value": dict.fromkeys(_KINDS, "TEXT")}] for key in _LISTS
} | {
    "collected_traffic_source": dict.fromkeys(_COLLECTED, "TEXT"),
    "ecommerce": dict.fromkeys(_ECOMMERCE, "TEXT"),
    "privacy_info": {"analytics_storage": "TEXT"},
    "session_traffic_source_last_click": {"google_ads_campaign": dict.fromkeys(_OF_AD, "TEXT")},
}

_PLACEHOLDERS = "('(not set)', '(direct)', '(organic)', '(referral)', '(none)')"


def _real(value: str) -> str:
    return f"IF({value} IN {_PLACEHOLDERS}, NULL, {value})"


def facts(table: str, rows: Rows, events: Sequence[str]) -> Facts:
    """Return the facts that events hold of a table."""
    relation = _parsed(table, rows)
    if table == "sessions":
        guest = f"IF({among('event_name', events)}, user_pseudo_id, NULL)"
        return Facts(relation, _of_session(), guest)
    of_sale = _of_conversion() if table == "conversions" else _of_refund()
    return Facts(relation, of_sale, counts=among("event_name", events), order=_ORDER)


def _of_session() -> dict[str, str]:
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
        "started_at": moment("event_timestamp"),
        "consent": "privacy_info.analytics_storage",
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


_ORDER = f"COALESCE({_real('ecommerce.transaction_id')}, {_real('its_transaction_id')})"
_ITSELF = "CONCAT_WS('.', COALESCE(user_pseudo_id, user_id), event_timestamp, event_name)"


def _of_conversion() -> dict[str, str]:
    amounts = ["ecommerce.purchase_revenue", "its_value", "ecommerce.purchase_revenue_in_usd"]
    return {
        "conversion_id": f"COALESCE({_ORDER}, {_ITSELF})",
        "customer_id": "COALESCE(user_id, user_pseudo_id)",
        "converted_at": moment("event_timestamp"),
        "revenue": f"COALESCE({', '.join(amounts)})",
        "currency": _currency(amounts),
    }


def _of_refund() -> dict[str, str]:
    amounts = ["ecommerce.refund_value", "its_value", "ecommerce.refund_value_in_usd"]
    return {
        "refund_id": _ITSELF,
        "conversion_id": _ORDER,
        "refunded_at": moment("event_timestamp"),
        "amount": f"COALESCE({', '.join(amounts)}, {worth('items::JSON', ['item_refund'])})",
        "currency": _currency(amounts),
    }


def _currency(amounts: list[str]) -> str:
    """Return SQL for the currency of an amount: the event's, unless only dollars are there."""
    own, its, dollars = amounts
    in_dollars = f"COALESCE({own}, {its}) IS NULL AND {dollars} IS NOT NULL"
    return f"IF({in_dollars}, 'USD', its_currency)"


def _parsed(table: str, rows: Rows) -> str:
    """Return SQL for the events: each part of an event is looked up once."""
    columns = {name: "NULL" for name in USED[table]} | rows.columns
    lists = [name for name in _LISTS if name in USED[table]]
    typed = ", ".join(
        f"{_typed(name, value, rows.native)} AS {identifier(name)}"
        for name, value in columns.items()
    )
    keys = ", ".join(
        f"LIST_TRANSFORM({name}, lambda entry: entry.key) AS {name}_keys" for name in lists
    )
    names = _PARAMETERS[table]
    found = ", ".join(f"{_entry('event_params', name)} AS found_{name}" for name in names)
    its = ", ".join(f"{_parameter_value(f'found_{name}')} AS its_{name}" for name in names)
    clicked = f"""COALESCE(
      collected_traffic_source.gclid, its_gclid, {parameter("its_page_location", "gclid")}
    ) AS clicked"""
    relation = f"(SELECT {typed} FROM {rows.relation})"
    for step in (keys, found, its, *[clicked] * (table == "sessions")):
        relation = f"(SELECT *, {step} FROM {relation})"
    return relation


def _typed(name: str, value: str, native: Mapping[str, str]) -> str:
    if name not in _SHAPES:
        return value
    if name in native or value == "NULL":
        return f"CAST({native.get(name, 'NULL')} AS {_type(_SHAPES[name])})"
    return f"from_json({value}, {literal(json.dumps(_SHAPES[name]))})"


def _type(shape: str | dict | list) -> str:
    if isinstance(shape, list):
        return f"{_type(shape[0])}[]"
    if isinstance(shape, dict):
        return f"STRUCT({', '.join(f'{name} {_type(part)}' for name, part in shape.items())})"
    return shape


def _entry(column: str, key: str) -> str:
    return f"{column}[LIST_POSITION({column}_keys, {literal(key)})].value"


def _parameter_value(entry: str) -> str:
    return f"COALESCE({', '.join(f'({entry}).{kind}' for kind in _KINDS)})"


def moment(value: str) -> str:
    """Return SQL for a time: microseconds since 1970, or as it is written."""
    return f"COALESCE(make_timestamp(TRY_CAST({value} AS BIGINT))::TEXT, {value}::TEXT)"
