"""Ready-made formats of events: each client's sessions, orders and refunds, in one file or in many."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingest.run import Outcome
from tests.builders.tenant import Tenant
from tests.conftest import House

SETTINGS = """
name: {name}
currency: EUR
sources:
  web:
    sessions: {{files: exports/{name}/events*, expected_every: never, format: {form}}}
    conversions: {{format: {form}}}
"""
SESSIONS = "session_id, visitor_id, customer_id, started_at, source, medium, campaign, consent"
ORDERS = "conversion_id, customer_id, converted_at, revenue, currency"
REFUNDS = "conversion_id, refunded_at, amount, currency"


class Shop(Tenant):
    """A client whose sessions, orders and refunds all come as events of one export."""

    def __init__(self, home: Path, form: str) -> None:
        super().__init__(home)
        text = SETTINGS.format(name=self.name, form=form)
        text += "" if form == "matomo" else f"    refunds: {{format: {form}}}\n"
        self.settings.write_text(text)

    def ingest(self, source: str = "web") -> Outcome:
        return super().ingest(source)

    def of(self, table: str, columns: str) -> set[tuple]:
        newest = {
            key: (is_deleted, said)
            for key, is_deleted, *said in self.log(f"row_key, is_deleted, {columns}", "web", table)
        }
        return {tuple(said) for is_deleted, said in newest.values() if not is_deleted}

    def all(self) -> tuple[set[tuple], set[tuple], set[tuple]]:
        return (
            self.of("sessions", SESSIONS),
            self.of("conversions", ORDERS),
            self.of("refunds", REFUNDS),
        )


def ga4(at: int, name: str, **more: Any) -> dict:
    parameters = {"ga_session_id": "5"} | more.pop("parameters", {})
    entries = [{"key": key, "value": {"string_value": value}} for key, value in parameters.items()]
    moment = str((1_790_812_800 + at) * 1_000_000)
    return {
        "event_timestamp": moment,
        "event_name": name,
        "event_params": entries,
        "user_pseudo_id": "9.9",
    } | more


def consent(analytics: str | None) -> dict:
    return {"privacy_info": {"analytics_storage": analytics, "uses_transient_token": "No"}}


GA4 = [
    ga4(
        0,
        "page_view",
        parameters={"source": "letter", "medium": "email", "campaign": "May"},
        **consent(None),
    ),
    ga4(60, "page_view", **consent("No")),
    ga4(90, "page_view", **consent("Yes")),
    ga4(
        120,
        "purchase",
        parameters={"currency": "EUR"},
        ecommerce={"transaction_id": "T1", "purchase_revenue": 80.5, "purchase_revenue_in_usd": 90},
    ),
    ga4(
        125,
        "purchase",
        parameters={"currency": "EUR"},
        ecommerce={"transaction_id": "T1", "purchase_revenue": 80.5},
    ),
    ga4(130, "purchase", ecommerce={"transaction_id": "(not set)", "purchase_revenue": 7}),
    ga4(200, "login", user_id="U1"),
    ga4(300, "refund", ecommerce={"transaction_id": "T1", "refund_value": 10.25}),
    ga4(
        310,
        "refund",
        ecommerce={"transaction_id": "T1"},
        items=[{"price": "2.50", "quantity": "2"}],
    ),
    ga4(320, "refund", ecommerce={"transaction_id": "T2"}),
]
GA4_EXPECTED = (
    {("9.9.5", "9.9", "9.9", "2026-10-01 00:00:00+00", "letter", "email", "May", "true")},
    {
        ("T1", "9.9", "2026-10-01 00:02:00+00", "80.5", "EUR"),
        ("9.9.1790812930000000.purchase", "9.9", "2026-10-01 00:02:10+00", "7", None),
    },
    {
        ("T1", "2026-10-01 00:05:00+00", "10.25", None),
        ("T1", "2026-10-01 00:05:10+00", "5.000000", None),
        ("T2", "2026-10-01 00:05:20+00", None, None),
    },
)


def hit(second: int, **more: Any) -> dict:
    return {
        "collector_tstamp": f"2026-10-01 10:00:{second:02}",
        "domain_userid": "d1",
        "domain_sessionid": "s1",
        "event_id": f"e{second}",
    } | more


def entity(kind: str, **data: Any) -> str:
    schema = f"iglu:com.snowplowanalytics.snowplow.ecommerce/{kind}/jsonschema/1-0-0"
    return json.dumps({"schema": "x", "data": [{"schema": schema, "data": data}]})


def action(**data: Any) -> str:
    return json.dumps({"schema": "x", "data": {"schema": "y", "data": data}})


SNOWPLOW = [
    hit(0, event="page_view", mkt_source="letter", mkt_medium="email", mkt_campaign="May"),
    hit(1, event_name="consent_preferences", unstruct_event=action(eventType="deny_all")),
    hit(2, event="transaction", tr_orderid="T1", tr_total="80.50", tr_currency="EUR", user_id="U1"),
    hit(
        3,
        event_name="snowplow_ecommerce_action",
        unstruct_event=action(type="transaction"),
        contexts=entity("transaction", transaction_id="T2", revenue=20.25, currency="EUR"),
        user_id="U1",
    ),
    hit(
        4,
        event_name="snowplow_ecommerce_action",
        unstruct_event=action(type="refund"),
        contexts=entity("refund", transaction_id="T2", refund_amount=5.25, currency="EUR"),
    ),
]
SNOWPLOW_EXPECTED = (
    {("s1", "d1", "U1", "2026-10-01 10:00:00+00", "letter", "email", "May", "false")},
    {
        ("T1", "U1", "2026-10-01 10:00:02+00", "80.50", "EUR"),
        ("T2", "U1", "2026-10-01 10:00:03+00", "20.25", "EUR"),
    },
    {("T2", "2026-10-01 10:00:04+00", "5.25", "EUR")},
)


def call(minute: int, kind: str = "page", **more: Any) -> dict:
    at = f"2026-10-01T{8 + minute // 60:02}:{minute % 60:02}:00.000Z"
    return {
        "type": kind,
        "messageId": f"m{minute}{kind}",
        "anonymousId": "a1",
        "timestamp": at,
        "receivedAt": "2026-10-02T00:00:00.000Z",
    } | more


def by(source: str, **more: Any) -> dict:
    campaign = {"source": source, "medium": "cpc", "name": f"{source} spring"}
    return {"context": {"campaign": campaign} | more}


CHOICE = {"consent": {"categoryPreferences": {"Analytics": False, "Functional": True}}}
SEGMENT = [
    call(0),
    call(10, **by("bing")),
    call(12, **by("bing")),
    call(20, "identify", userId="U1"),
    call(50, "track", event="Viewed", userId="U1"),
    call(81, **by("bing")),
    call(100, **by("meta")),
    call(
        105,
        "track",
        event="Order Completed",
        properties={"order_id": "T1", "total": 80.5, "revenue": 70, "currency": "EUR"},
        userId="U1",
    ),
    call(
        106,
        "track",
        event="Order Completed",
        properties={"order_id": "T1", "total": 80.5, "currency": "EUR"},
        userId="U1",
    ),
    call(
        200,
        "track",
        event="Order Refunded",
        properties={"order_id": "T1", "total": 30, "currency": "EUR"},
        userId="U1",
        anonymousId=None,
    ),
    call(110, context=CHOICE),
    call(300, anonymousId="a2", timestamp=None, originalTimestamp="x"),
]


def segment_id(minute: int, browser: str = "a1") -> str:
    return f"{browser}.{(1_790_812_800 + 8 * 3600 + minute * 60) * 1000}"


SEGMENT_EXPECTED = (
    {
        (segment_id(0), "a1", "U1", "2026-10-01 08:00:00+00", None, None, None, None),
        (segment_id(10), "a1", "U1", "2026-10-01 08:10:00+00", "bing", "cpc", "bing spring", None),
        (
            segment_id(81),
            "a1",
            "U1",
            "2026-10-01 09:21:00+00",
            "bing",
            "cpc",
            "bing spring",
            "false",
        ),
        (
            segment_id(100),
            "a1",
            "U1",
            "2026-10-01 09:40:00+00",
            "meta",
            "cpc",
            "meta spring",
            "false",
        ),
        ("a2.1790899200000", "a2", None, "2026-10-02 00:00:00+00", None, None, None, None),
    },
    {("T1", "U1", "2026-10-01 09:45:00+00", "80.5", "EUR")},
    {("T1", "2026-10-01 11:20:00+00", "30", "EUR")},
)


def hog(second: int, event: str = "$pageview", **properties: Any) -> dict:
    return {
        "uuid": f"h{second}",
        "event": event,
        "timestamp": f"2026-10-01T10:00:{second:02}.000Z",
        "distinct_id": properties.pop("distinct_id", "anon-1"),
        "properties": {"$session_id": "s1", "$device_id": "anon-1"} | properties,
    }


POSTHOG = [
    hog(0, utm_source="letter", utm_medium="email", utm_campaign="May"),
    hog(1, **{"$current_url": "https://shop.example/?utm_source=other"}),
    hog(2, "$identify", distinct_id="U1", **{"$anon_distinct_id": "anon-1"}),
    hog(3, "purchase", distinct_id="U1", order_id="T1", revenue=80.5, currency="EUR"),
    hog(4, "refund", distinct_id="U1", order_id="T1", amount=10),
]
POSTHOG_EXPECTED = (
    {("s1", "anon-1", "U1", "2026-10-01 10:00:00+00", "letter", "email", "May", None)},
    {("T1", "U1", "2026-10-01 10:00:03+00", "80.5", "EUR")},
    {("T1", "2026-10-01 10:00:04+00", "10", None)},
)


def visit(number: int, **more: Any) -> dict:
    first = 1_790_848_800 + number * 600
    page = {"type": "action", "url": "https://shop.example/?mtm_campaign=May", "timestamp": first}
    return {
        "idVisit": number,
        "visitorId": f"v{number}",
        "userId": None,
        "firstActionTimestamp": first,
        "siteCurrency": "EUR",
        "actionDetails": [page, *more.pop("orders", [])],
        "referrerType": "direct",
        "referrerName": "",
        "referrerUrl": "",
    } | more


def order(number: str, revenue: float, at: int) -> dict:
    return {"type": "ecommerceOrder", "orderId": number, "revenue": revenue, "timestamp": at}


MATOMO = [
    visit(
        1, referrerType="campaign", referrerName="May", orders=[order("T1", 80.5, 1_790_849_500)]
    ),
    visit(2, referrerType="search", referrerName="Google", userId="U2"),
    visit(3, actionDetails=[]),
]
MATOMO_EXPECTED = (
    {
        ("1", "v1", "v1", "2026-10-01 10:10:00+00", None, None, "May", None),
        ("2", "v2", "U2", "2026-10-01 10:20:00+00", "google", "organic", None, None),
        ("3", "v3", None, "2026-10-01 10:30:00+00", None, None, None, None),
    },
    {("T1", "v1", "2026-10-01 10:11:40+00", "80.5", "EUR")},
    set(),
)

EXPORTS = {
    "ga4": (GA4, GA4_EXPECTED),
    "snowplow": (SNOWPLOW, SNOWPLOW_EXPECTED),
    "segment": (SEGMENT, SEGMENT_EXPECTED),
    "posthog": (POSTHOG, POSTHOG_EXPECTED),
    "matomo": (MATOMO, MATOMO_EXPECTED),
}


def lines(events: list[dict]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in events)


@pytest.mark.parametrize("form", EXPORTS)
def test_one_export_gives_sessions_orders_and_refunds(house: House, form: str) -> None:
    shop, (events, expected) = Shop(house.home, form), EXPORTS[form]
    shop.deliver("events.json", json.dumps(events))
    assert not shop.ingest().problem
    assert shop.all() == expected


@pytest.mark.parametrize("form", EXPORTS)
def test_files_in_any_order_give_the_same(house: House, form: str) -> None:
    shop, (events, expected) = Shop(house.home, form), EXPORTS[form]
    events = list(events)
    random.Random(form).shuffle(events)
    for number in range(3):
        shop.deliver(f"events-{number}.jsonl", lines(events[number::3]))
        outcome = shop.ingest()
        assert not outcome.problem
    assert shop.all() == expected


def test_a_purchase_without_an_order_is_told(house: House) -> None:
    shop = Shop(house.home, "ga4")
    shop.deliver("events.jsonl", lines(GA4))
    assert "1 purchase has no id of the order: each counts by itself" in str(
        shop.ingest().status.notes
    )
