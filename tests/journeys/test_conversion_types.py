"""Several types of conversions: each with its window and model, and only those that count in the totals."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.reader import ClientError, parse
from tests.builders.histories import deal, replay
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("conversion_types")  # its models are rendered once

TYPES = """{
  signup: {event: sign up, lookback_days: 1, model: first_touch},
  purchase: {lookback_days: 2, model: last_touch},
}"""


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Return the models of a client with three types, and every table about them."""
    home = tmp_path_factory.mktemp("types")
    (home / "clients").mkdir()
    text = settings(
        "one", table="events", lookback_days=3, conversions=TYPES, compare="[time_decay]"
    )
    (home / "clients/one.yaml").write_text(text + "publish: [first_touch_attribution]\n")
    House(home).enter()
    return render("one")["one"]


def event(
    event_type: str, at: str, campaign: str | None = None, revenue: str | None = None
) -> dict:
    """Return an event of a customer on a day of August; a page view comes from a newsletter."""
    return dict.fromkeys(CONTRACTS["web"]["events"].columns) | {
        "client_id": "ann",
        "event_type": event_type,
        "event_time": f"2026-08-{at}:00",
        "channel": "Email",
        "campaign_id": campaign,
        "revenue": revenue,
        "is_deleted": False,
    }


EVENTS = [
    event("page_view", "29 12:00", "a"),
    event("page_view", "30 12:00", "b"),
    event("page_view", "31 11:00", "c"),
    event("sign up", "31 12:00"),  # one day: b opens it
    event("purchase", "31 12:00", revenue="10"),  # two days: c closes it
    event("log in", "31 12:00"),  # nobody calls it a conversion
]
SPEND = {"spend_date": "2026-08-30", "campaign_id": "1", "cost": "6", "is_deleted": False}
HISTORY = [
    Load(START, "web", {"events": EVENTS}),
    Load(START + timedelta(hours=1), "google_ads", {"spend": [SPEND | {"campaign": "x"}]}),
    Load(
        START + timedelta(hours=2),
        "salesforce",
        {"opportunities": [deal(1, "ann", "2026-08-31 12:00:00")]},  # three days: all share it
    ),
]


@pytest.fixture(scope="module")
def warehouse(one: Models):
    """Return the warehouse after a day on which each type happened once."""
    ((warehouse, _),) = replay(one, HISTORY, [START + timedelta(days=1)])
    return warehouse


def test_each_type_has_its_window_and_model(warehouse) -> None:
    found = warehouse.execute(
        """SELECT conversion_type, model, campaign, ROUND(credit, 2) FROM one_marts.fct_credit
        WHERE is_active ORDER BY conversion_type, touched_at"""
    ).fetchall()

    assert found == [
        ("deal", "linear", "a", 0.33),
        ("deal", "linear", "b", 0.33),
        ("deal", "linear", "c", 0.33),
        ("purchase", "last_touch", "a", 0),
        ("purchase", "last_touch", "b", 0),
        ("purchase", "last_touch", "c", 1),
        ("signup", "first_touch", "b", 1),
        ("signup", "first_touch", "c", 0),
    ]


def test_a_signup_and_a_sale_are_not_two_conversions(warehouse) -> None:
    campaigns = warehouse.execute(
        """SELECT campaign, ROUND(conversions, 2), revenue FROM one_marts.fct_campaigns
        WHERE cost = 0 ORDER BY campaign"""
    ).fetchall()
    ends = warehouse.execute("SELECT COUNT(*) FROM one_marts.fct_path_ends").fetchone()

    assert campaigns == [
        ("a", 0.33, Decimal("33.34")),
        ("b", 0.33, Decimal("33.33")),
        ("c", 1.33, Decimal("43.33")),
    ]
    assert ends == (2,)


def test_each_type_by_itself_has_all_of_the_cost(warehouse) -> None:
    found = warehouse.execute(
        """SELECT conversion_type, is_counted, campaign, cost, ROUND(conversions, 2), revenue
        FROM one_marts.fct_conversion_types WHERE campaign IN ('c', 'x') ORDER BY ALL"""
    ).fetchall()

    assert found == [
        ("deal", True, "c", 0, 0.33, Decimal("33.33")),
        ("deal", True, "x", 6, 0, 0),
        ("purchase", True, "c", 0, 1, 10),
        ("purchase", True, "x", 6, 0, 0),
        ("signup", False, "c", 0, 0, 0),
        ("signup", False, "x", 6, 0, 0),
    ]


def test_every_type_ties_to_its_source(warehouse) -> None:
    found = warehouse.execute(
        "FROM one_marts.conversion_totals ORDER BY conversion_type"
    ).fetchall()

    assert found == [
        ("deal", True, 1, 1, 100, 100, 0, True),
        ("purchase", True, 1, 1, 10, 10, 0, True),
        ("signup", False, 1, 1, 0, 0, 0, True),
    ]


def test_models_are_compared_over_what_counts(warehouse) -> None:
    found = warehouse.execute(
        """SELECT model, BOOL_OR(is_active), SUM(conversions), SUM(revenue), ROUND(SUM(conversions_moved), 9)
        FROM one_marts.fct_models GROUP BY model ORDER BY model"""
    ).fetchall()

    assert found == [
        ("first_touch", False, 2, 110, 0),
        ("last_touch", True, 2, 110, 0),
        ("linear", True, 2, 110, 0),
        ("time_decay", False, 2, 110, 0),
    ]


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (
            "{signup: {lookback_days: 7}}",
            "conversions: signup: name the event that is this conversion",
        ),
        ("{deal: {event: won}}", "conversions: deal.event: the type deal is built in"),
        ("{a: {event: x}, b: {event: x}}", "conversions: b.event: x is the type a already"),
        ("{a: {event: page_view}}", "conversions.a.event: the event page_view is a touchpoint"),
        (
            "{a: {event: purchase}}",
            "conversions.a.event: the event purchase is the type `purchase`",
        ),
        (
            "{a: {event: x}, b: {event: x, where: revenue > 1}}",
            "conversions: b.event: x is the type a already; write b above a",
        ),
        ("{deal: {where: revenue > 1}}", "conversions: deal.where: only events have columns"),
        ("{a: {event: x, where: revenue +}}", "conversions.a.where: "),
        (
            "{a: {event: x, where: plan = 'pro' AND value > 10}}",
            "conversions: a.where: web.events has no column plan, value; it has event_id, client_id,",
        ),
        (
            "{a: {event: x, where: plan = 'pro'}}",
            "such as properties: [plan]",
        ),
        ("{deal: {counting: one}}", "conversions.deal.counting: write every or first"),
        ("{deal: {model: lineal}}", "conversions: deal.model: there is no model 'lineal'"),
        ("{deal: {model: ''}}", "conversions: deal.model: there is no model ''"),
        ("{deal: {model: participation}}", "conversions: deal.model: participation gives every"),
        ("{deal: {lookback_days: 0}}", "conversions.deal.lookback_days"),
        ("{Sign-up: {event: x}}", "conversions.Sign-up"),
        ("{deal: {count: true}}", "conversions.deal.count"),
    ],
)
def test_a_bad_type_is_named(tmp_path: Path, types: str, said: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(settings("one", conversions=types))

    with pytest.raises(ClientError) as error:
        parse(file)

    assert "clients/one.yaml: conversions" in str(error.value) and said in str(error.value)
