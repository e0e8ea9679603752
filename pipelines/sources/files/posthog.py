"""Read PostHog's events, as batch exports and its API write them: sessions, and orders by an event's name."""

from collections.abc import Sequence

from pipelines.contracts.people import CLICK_IDS
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import (
    Facts,
    among,
    first,
    from_elsewhere,
    from_page,
    named,
    since_1970,
    worth,
)
from pipelines.sources.files.url_values import AD_IDS, value_in

NEEDED = {"event", "timestamp", "distinct_id"}

_OF_ALL = NEEDED | {"uuid", "id", "properties"}
_UTM = ("source", "medium", "campaign")
_ORDER_IDS = ("properties.order_id", "properties.transaction_id", "properties.$order_id")
_AMOUNTS = (
    *("properties.total", "properties.revenue", "properties.$revenue", "properties.value"),
    "properties.amount",
)
_CURRENCIES = ("properties.currency", "properties.$currency")
_OF_SALES = {*_ORDER_IDS, *_AMOUNTS, *_CURRENCIES}
USED = {
    "sessions": _OF_ALL
    | {f"properties.utm_{name}" for name in _UTM}
    | {f"properties.{name}" for name in CLICK_IDS}
    | {
        *("properties.$session_id", "properties.$device_id", "properties.$is_identified"),
        *("properties.$anon_distinct_id", "properties.$current_url", "properties.$referrer"),
    },
    "conversions": _OF_ALL | _OF_SALES,
    "refunds": _OF_ALL | _OF_SALES,
}
EVENTS = {"conversions": ("Order Completed", "purchase"), "refunds": ("Order Refunded", "refund")}

_PAGE = '"properties.$current_url"'
_BROWSER = first("properties.$device_id", "properties.$anon_distinct_id", "distinct_id")


def facts(table: str, rows: Rows, events: Sequence[str]) -> Facts:
    """Return the facts that events hold of a table."""
    relation = named(rows, USED[table])
    counts = among("event", events)
    if table == "sessions":
        return Facts(relation, _of_session(), f"IF({counts}, {_BROWSER}, NULL)")
    order = first(*_ORDER_IDS)
    if table == "conversions":
        columns = {
            "conversion_id": first(*_ORDER_IDS, "uuid", "id"),
            "customer_id": "distinct_id",
            "converted_at": moment("timestamp"),
            "revenue": first(*_AMOUNTS),
        }
    else:
        items = worth("TRY(json_extract(properties, '$.products'))", [])
        columns = {
            "refund_id": first("uuid", "id"),
            "conversion_id": order,
            "refunded_at": moment("timestamp"),
            "amount": f"COALESCE({first(*_AMOUNTS)}, {items})",
        }
    return Facts(relation, columns | {"currency": first(*_CURRENCIES)}, counts=counts, order=order)


def _of_session() -> dict[str, str]:
    utm = {name: from_page(f'"properties.utm_{name}"', _PAGE, f"utm_{name}") for name in _UTM}
    in_page = {name: value_in(_PAGE, name) for name in (*CLICK_IDS, *AD_IDS)}
    own = {name: f'COALESCE("properties.{name}", {in_page[name]})' for name in CLICK_IDS}
    referrer = "NULLIF(\"properties.$referrer\", '$direct')"
    return {
        "session_id": '"properties.$session_id"',
        "visitor_id": _BROWSER,
        "customer_id": _PERSON,
        "started_at": moment("timestamp"),
        **utm,
        "referrer": from_elsewhere(referrer, _PAGE),
        **in_page,
        **own,
    }


# Until somebody is identified, distinct_id is the browser's.
_PERSON = """CASE WHEN LOWER("properties.$is_identified") = 'false'
OR distinct_id = "properties.$device_id" THEN NULL ELSE distinct_id END"""


def moment(value: str) -> str:
    """Return SQL for a time, as it is written."""
    return since_1970(value)
