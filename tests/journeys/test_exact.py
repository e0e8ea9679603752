"""Day by day is the same as all at once, and both are what the definitions say.

Histories that hurt (see `lake_writer`) are run by SQLMesh as the mornings run it, at chosen times;
after every run the credit is compared with the oracle's, at the end every table with a rebuild's.
"""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.settings.client import Client
from tests.builders import lake_writer
from tests.builders.histories import DAY, Clock, deal, mornings, reader, replay, seen, session
from tests.builders.lake_writer import START, Load, invent
from tests.conftest import House
from tests.oracles import oracle
from tests.rendered import Models, render

CREDIT = """conversion_id, touchpoint_id, conversion_type, is_counted, customer_id, converted_at, touched_at, channel, campaign,
position, path_length, revenue, attributed_revenue, is_attributed, gclid, ad_id, credit"""
CAMPAIGNS = "date, channel, campaign, cost, clicks, impressions, revenue, conversions, cpa, roas"


def check(query, history: list[Load], client: Client, until: datetime = datetime.max) -> None:
    """Compare credit and campaigns with the oracle's; `query` returns columns of a table."""
    credits = {
        (earned.conversion.conversion_id, touch and touch.touchpoint_id): (
            earned.conversion.conversion_type,
            oracle.is_counted(earned.conversion.conversion_type, client),
            earned.conversion.customer_id,
            earned.conversion.converted_at,
            touch and touch.touched_at,
            touch.channel if touch else "unattributed",
            touch.campaign if touch else "(not set)",
            earned.position,
            earned.path_length,
            earned.conversion.revenue,
            earned.attributed_revenue,
            touch is not None,
            touch and touch.gclid,
            touch and touch.ad_id,
            pytest.approx(float(earned.credit), abs=1e-12),
        )
        for earned in oracle.credits(history, client, until)
        for touch in [earned.touch]
    }
    found = query(CREDIT, "marts.fct_credit WHERE is_active")
    assert {row[:2]: row[2:] for row in found} == credits
    assert len(found) == len(credits)

    campaigns = {
        key: (
            row["cost"],
            row["clicks"],
            row["impressions"],
            row["revenue"],
            *(
                None
                if row[ratio] is None
                else pytest.approx(float(row[ratio]), rel=1e-12, abs=1e-12)
                for ratio in ("conversions", "cpa", "roas")
            ),
        )
        for key, row in oracle.campaigns(history, client, until).items()
    }
    found = query(CAMPAIGNS, "marts.fct_campaigns")
    assert {row[:3]: row[3:] for row in found} == campaigns
    assert len(found) == len(campaigns)


SEEDS = {
    2: {
        "one": {
            "model": "last_touch",
            "direct_touches": "exclude",
            "lookback_days": 1,
            "aliases": "{spring: brand}",
            "campaigns": "{'1': brand, spring: autumn}",
        }
    },
    5: {
        "one": {
            "model": "position_based",
            "first": 0.3,
            "last": 0.5,
            "lookback_days": 5,
            "currency": "KWD",
            "timezone": "Asia/Tokyo",
            "path": "[exposure]",
        }
    },
    7: {
        "one": {"model": "time_decay", "direct_touches": "exclude", "timezone": "America/New_York"},
        "two": {
            "model": "linear",
            "table": "events",
            "currency": "USD",
            "lookback_days": 2,
            "conversions": "{signup: {event: signup, model: last_touch, lookback_days: 4}}",
            "rates": lake_writer.RATES,
        },
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_mornings_equal_the_definitions_and_a_rebuild(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    clock = Clock(tmp_path / "house", SEEDS[seed])
    histories = {name: invent(random, client, 16, 16) for name, client in clock.clients.items()}
    waiting = {name: list(history) for name, history in histories.items()}

    for now in mornings(random, [load for history in histories.values() for load in history], 4):
        for name, loads in waiting.items():
            while loads and loads[0].at <= now:
                lake_writer.write(clock.house.home, name, loads.pop(0))
        clock.run(now)
        for name, client in clock.clients.items():
            check(clock.reader(name), seen(histories[name], now), client)
    if seed % 2:
        gone = random.choice(histories["one"][:-1])
        histories["one"].remove(gone)
        lake_writer.remove(clock.house.home, "one", gone)
        clock.restate("one", gone.at)
        check(clock.reader("one"), seen(histories["one"], now), clock.clients["one"])
    for name in clock.clients:
        ((refused,),) = clock.reader(name)("sessions_without_consent", "publish.freshness_v1")
        expected = seen(histories[name], now)
        assert refused == oracle.sessions_without_consent(expected, datetime.max)
    found = {name: clock.tables(name) for name in clock.clients}
    clock.warehouse.close()

    rebuilt = clock.rebuilt(tmp_path / "rebuilt")
    for name in clock.clients:
        for table, rows in rebuilt.tables(name).items():
            assert rows == found[name][table], table
    rebuilt.warehouse.close()


QUICK = {
    "first": {"model": "position_based", "first": 0.3, "last": 0.5},
    "short": {
        "model": "linear",
        "direct_touches": "include",
        "identity": "last_seen",
        "lookback_days": 5,
        "path": "[{remove_if_last_and_not_all: [Direct, Email]}, first]",
        "aliases": "{spring: {newsletter: letter, google_ads: search, facebook_ads: brand}}",
        "campaigns": "{'1': brand}",
    },
    "second": {
        "model": "time_decay",
        "table": "events",
        "direct_touches": "include",
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "rates": lake_writer.RATES,
        "path": "[once_per_campaign]",
    },
    "types": {
        "table": "events",
        "lookback_days": 2,
        "conversions": "{signup: {event: signup, lookback_days: 1, model: first_touch},"
        " purchase: {model: position_based, lookback_days: 6}, deal: {counts: false}}",
    },
    "firsts": {
        "table": "events",
        "properties": "[plan, value]",
        "conversions": "{pro: {event: signup, where: \"plan = 'pro' AND value > 10\", counting: first},"
        " signup: {event: signup, counts: true}, purchase: {counting: first}, deal: {counting: first}}",
        "exclude": "{customer_id: Customer-3, plan: internal, campaign_id: nothing}",
        "rates": lake_writer.RATES,
        "refunds": lake_writer.REFUNDS,
    },
    "tested": {
        "refunds": lake_writer.REFUNDS,
        "conversions": "{deal: {counting: first}}",
        "exclude": "{visitor_id: visitor-4, email: [customer-3, x@example.com], medium: cpc}",
    },
}


in_one_process = pytest.mark.xdist_group("exact")  # their models are rendered once


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Client, Models]]:
    """Return clients and their models, to run without SQLMesh."""
    home = tmp_path_factory.mktemp("quick")
    (home / "clients").mkdir()
    for name, chosen in QUICK.items():
        (home / f"clients/{name}.yaml").write_text(lake_writer.settings(name, **chosen))
    house = House(home).enter()
    return {name: (house.client(name), models) for name, models in render(*QUICK).items()}


@in_one_process
@given(seed=strategies.integers(0, 2**32), name=strategies.sampled_from(sorted(QUICK)))
@hypothesis_settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_generated_histories(quick: dict[str, tuple[Client, Models]], seed: int, name: str) -> None:
    random = Random(seed)
    client, models = quick[name]
    history = invent(random, client, 16, 16)
    runs = sorted({at.replace(microsecond=0) for at in mornings(random, history, 4)})

    for warehouse, until in replay(models, history, runs):
        check(reader(warehouse, name), history, client, until)
        ((refused,),) = reader(warehouse, name)("sessions_without_consent", "marts.gate")
        assert refused == oracle.sessions_without_consent(history, until)

    ((rebuilt, _),) = replay(models, history, runs[-1:])
    for table in models.queries:
        rows = f"FROM {name}_{table} ORDER BY ALL"
        assert warehouse.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table


TELLING = session(2, "2026-08-31 12:00:00", visitor_id="laptop", customer_id="ann")
BEFORE = [
    Load(START, "salesforce", {"opportunities": [deal(3, "dan", "2026-07-01 00:00:00")]}),
    Load(
        START + timedelta(hours=1),
        "web",
        {
            "sessions": [
                session(1, "2026-08-30 12:00:00", visitor_id="laptop"),
                TELLING,
                session(3, "2026-08-31 12:00:00", visitor_id="phone"),
            ]
        },
    ),
    Load(
        START + timedelta(hours=2),
        "salesforce",
        {
            "opportunities": [
                deal(1, "ann", "2026-08-31 18:00:00"),
                deal(2, "bob", "2026-08-31 18:00:00"),
                deal(3, "dan", "2026-08-31 18:00:00"),
            ]
        },
    ),
]
SPEND = {
    "spend_date": "2026-08-31",
    "campaign_id": "1",
    "campaign": "brand",
    "cost": "1",
    "currency": None,
    "clicks": None,
    "impressions": None,
    "is_deleted": False,
}
# What is new on the second day, and the conversions that it revises.
NEWS = {
    "a stranger's visit": (session(9, "2026-08-31 12:00:00", customer_id="cem"), set()),
    "an anonymous visit": (session(9, "2026-08-31 12:00:00", visitor_id="tablet"), set()),
    "a visit after the deal": (session(9, "2026-08-31 18:00:01", customer_id="ann"), set()),
    "a visit before the window": (session(9, "2026-08-28 17:59:59", customer_id="ann"), set()),
    "a visit where the deal once was": (session(9, "2026-07-01", customer_id="dan"), set()),
    "the known visitor seen again": (
        session(9, "2026-09-01 12:00:00", customer_id="ann", visitor_id="laptop"),
        set(),
    ),
    "a stranger's deal": (deal(9, "cem", "2026-08-31 18:00:00"), {"deal-9"}),
    "spend": (SPEND, set()),
    "a late visit": (session(9, "2026-08-31 12:00:00", customer_id="ann"), {"deal-1"}),
    "on the window's edge": (session(9, "2026-08-28 18:00:00", customer_id="ann"), {"deal-1"}),
    "at the deal's moment": (session(9, "2026-08-31 18:00:00", visitor_id="laptop"), {"deal-1"}),
    "a visitor turns out to be a customer": (
        session(9, "2026-08-31 18:00:00", customer_id="bob", visitor_id="phone"),
        {"deal-2"},
    ),
    "a visitor turns out to be a customer after the deal": (
        session(9, "2026-08-31 18:00:01", customer_id="bob", visitor_id="phone"),
        set(),
    ),
    "a visitor changes hands": (
        session(9, "2026-08-31 11:00:00", customer_id="bob", visitor_id="laptop"),
        {"deal-1", "deal-2"},
    ),
    "a visitor changes hands after the deals": (
        session(9, "2026-09-01 12:00:00", customer_id="bob", visitor_id="laptop"),
        set(),
    ),
    "the telling visit is taken back": (TELLING | {"is_deleted": True}, {"deal-1"}),
    "the telling visit forgets": (TELLING | {"customer_id": None}, {"deal-1"}),
    "the telling visit had another visitor": (TELLING | {"visitor_id": "phone"}, {"deal-1"}),
    "the telling visit was somebody else's": (
        TELLING | {"customer_id": "bob"},
        {"deal-1", "deal-2"},
    ),
    "a later teller of the same second": (
        TELLING | {"session_id": "session-9", "customer_id": "bob"},
        {"deal-2"},
    ),
    "an earlier teller of the same second": (
        TELLING | {"session_id": "session-0", "customer_id": "bob"},
        {"deal-1", "deal-2"},
    ),
    "an anonymous visit is deleted": (
        session(3, "2026-08-31 12:00:00", is_deleted=True, visitor_id="phone"),
        set(),
    ),
    "consent is withdrawn": (
        session(1, "2026-08-30 12:00:00", visitor_id="laptop", consent="false"),
        {"deal-1"},
    ),
    "who consents still": (
        session(1, "2026-08-30 12:00:00", visitor_id="laptop", consent="true"),
        {"deal-1"},
    ),
    "the telling visit was without consent": (TELLING | {"consent": "false"}, {"deal-1"}),
    "a visit without consent": (
        session(9, "2026-08-31 12:00:00", customer_id="ann", consent="false"),
        set(),
    ),
    "a deal changes": (deal(2, "bob", "2026-08-31 20:00:00"), {"deal-2"}),
}


@in_one_process
@pytest.mark.parametrize("what", NEWS)
def test_only_what_is_affected_is_revised(
    quick: dict[str, tuple[Client, Models]], what: str
) -> None:
    client, models = quick["first"]
    row, revised = NEWS[what]
    source, table = next(
        (source, table)
        for source, table, key in [
            ("web", "sessions", "session_id"),
            ("salesforce", "opportunities", "opportunity_id"),
            ("google_ads", "spend", "spend_date"),
        ]
        if key in row
    )
    history = [*BEFORE, Load(START + DAY + timedelta(hours=1), source, {table: [row]})]

    for warehouse, until in replay(models, history, [START + DAY, START + 2 * DAY]):
        check(reader(warehouse, "first"), history, client, until)

    found = warehouse.execute(
        f"SELECT conversion_id FROM first_journeys.revisions WHERE revised_at >= '{START + DAY}'"
    ).fetchall()
    assert {conversion for (conversion,) in found} == revised


@in_one_process
def test_a_catch_up_over_days_survives_the_next_run(
    quick: dict[str, tuple[Client, Models]],
) -> None:
    client, models = quick["first"]
    later = [
        Load(
            START + 2 * DAY + timedelta(hours=hour),
            "web",
            {"sessions": [session(number, at, **who)]},
        )
        for hour, number, at, who in [
            (1, 4, "2026-09-01 12:00:00", {"visitor_id": "laptop", "customer_id": "bob"}),
            (13, 5, "2026-09-01 13:00:00", {"visitor_id": "laptop", "customer_id": "ann"}),
        ]
    ]
    history = [*BEFORE, *later]
    noon = START + 2 * DAY + timedelta(hours=12)

    for warehouse, until in replay(models, history, [noon, START + 3 * DAY]):
        check(reader(warehouse, "first"), history, client, until)


def back(order: str, amount: str | None, refund: str | None = None, **others) -> dict:
    """Return what was given back of an order."""
    return {
        "refund_id": refund,
        "conversion_id": order,
        "refunded_at": None,
        "amount": amount,
        "currency": None,
        "is_deleted": False,
    } | others


@in_one_process
def test_refunds_are_taken_off_their_order_and_told_where_they_cannot(
    quick: dict[str, tuple[Client, Models]],
) -> None:
    client, models = quick["tested"]
    deals = [deal(number, who, "2026-08-31 18:00:00") for number, who in enumerate("abcd", 1)]
    visits = [session(1, "2026-08-30", customer_id="a"), session(2, "2026-08-31", customer_id="a")]
    refunds = [
        *(back("deal-1", "30"), back("deal-1", "-30.00"), back("deal-1", "0.01", "r-1")),
        *(back("deal-2", "100.50"), back("deal-3", None), back("deal-9", "5")),
        back("deal-4", "1", currency="USD"),
    ]
    history = [
        Load(START, "web", {"sessions": visits, "refunds": refunds}),
        Load(START + timedelta(hours=1), "salesforce", {"opportunities": deals}),
        Load(START + DAY + timedelta(hours=1), "web", {"refunds": [back("deal-1", "9.99", "r-1")]}),
    ]
    for warehouse, until in replay(models, history, [START + DAY, START + 2 * DAY]):
        check(reader(warehouse, "tested"), history, client, until)

    rows = reader(warehouse, "tested")(
        "conversion_id, SUM(attributed_revenue)::TEXT, ANY_VALUE(refunded)::FLOAT",
        "marts.fct_credit WHERE is_active GROUP BY ALL ORDER BY ALL",
    )
    assert rows == [
        ("deal-1", "60.01", pytest.approx(39.99)),
        ("deal-2", "-0.50", 100.5),
        ("deal-3", "0.00", 100),
        ("deal-4", "100.00", 0),
    ]
    ((warnings,),) = reader(warehouse, "tested")("warnings", "marts.gate")
    assert warnings.split("; ") == [
        "web.refunds: what was given back of deal-2 is of more than the conversion was worth, whose revenue is"
        " below 0 now",
        "web.refunds: what was given back of deal-4 is in another currency than the conversion, and is not"
        " taken off: export the amount in that currency",
        "web.refunds: what was given back of deal-9 is of no conversion that was delivered, and waits for it",
    ]
