"""Read Segment's calls: the visits that they make, and the orders among them.

Calls have no session. A visit is what a browser, the anonymousId, does without half an hour of
silence, and another campaign begins another one: see `silent_sessions`.
"""

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

NEEDED = {"type", "anonymousId"}

# `timestamp` is corrected by how wrong the browser's clock is; the others stand in for it.
_TIMES = ("timestamp", "receivedAt", "originalTimestamp", "sentAt")
_OF_ALL = NEEDED | {*_TIMES, "event", "messageId", "userId", "previousId"}
_CATEGORIES = ("analytics", "advertising", "marketing")
_CHOICES = [
    f"context.consent.categoryPreferences.{name}"
    for category in _CATEGORIES
    for name in (category, category.title())
]
_ORDER_IDS = ("properties.order_id", "properties.orderId")
_AMOUNTS = ("properties.total", "properties.revenue", "properties.value")
_OF_SALES = {*_ORDER_IDS, *_AMOUNTS, "properties.currency", "properties"}
_UTM = {"source": "source", "medium": "medium", "name": "campaign"}
USED = {
    "sessions": _OF_ALL
    | {f"context.campaign.{name}" for name in _UTM}
    | {"context.page.url", "context.page.referrer", "properties.url", "properties.referrer"}
    | {*_CHOICES},
    "conversions": _OF_ALL | _OF_SALES,
    "refunds": _OF_ALL | _OF_SALES,
}
EVENTS = {"conversions": ("Order Completed",), "refunds": ("Order Refunded",)}

_PAGE = first("context.page.url", "properties.url")
_BROWSER = first("anonymousId", "previousId")


def facts(table: str, rows: Rows, events: Sequence[str]) -> Facts:
    """Return the facts that calls hold of a table."""
    relation = named(rows, USED[table] - {*_CHOICES}, f", {_consent(rows)} AS chosen")
    counts = f"(type = 'track' AND {among('event', events)})"
    if table == "sessions":
        return Facts(relation, _of_session(), f'IF({counts}, "anonymousId", NULL)')
    order = first(*_ORDER_IDS)
    at = moment(first(*_TIMES))
    if table == "conversions":
        columns = {
            "conversion_id": first(*_ORDER_IDS, "messageId"),
            "customer_id": first("userId", "anonymousId"),
            "converted_at": at,
            "revenue": first(*_AMOUNTS),
        }
    else:
        items = worth("json_extract(properties, '$.products')", [])
        columns = {
            "refund_id": '"messageId"',
            "conversion_id": order,
            "refunded_at": at,
            "amount": f"COALESCE({first(*_AMOUNTS)}, {items})",
        }
    currency = {"currency": '"properties.currency"'}
    return Facts(relation, columns | currency, counts=counts, order=order)


def _of_session() -> dict[str, str]:
    utm = {
        column: from_page(f'"context.campaign.{name}"', _PAGE, f"utm_{column}")
        for name, column in _UTM.items()
    }
    return {
        "visitor_id": _BROWSER,
        "customer_id": '"userId"',
        "started_at": moment(first(*_TIMES)),
        **utm,
        "referrer": from_elsewhere(first("context.page.referrer", "properties.referrer"), _PAGE),
        "consent": "chosen",
        **{name: value_in(_PAGE, name) for name in (*CLICK_IDS, *AD_IDS)},
    }


def _consent(rows: Rows) -> str:
    """Return SQL for what was chosen: refused, where measuring or advertising was; else allowed, if either was."""
    chosen = ", ".join(f"LOWER({rows.columns.get(name, 'NULL')}::TEXT)" for name in _CHOICES)
    return f"CASE WHEN LIST_CONTAINS([{chosen}], 'false') THEN 'false' WHEN LIST_CONTAINS([{chosen}], 'true') THEN 'true' END"


def moment(value: str) -> str:
    """Return SQL for a time, as it is written."""
    return since_1970(value)
