"""Participation by a worked example: a channel and a campaign take part in a conversion once, and whole."""

from datetime import timedelta

import pytest

from pipelines.contracts.catalog import CONTRACTS
from tests.builders.histories import replay
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("participation")  # its models are rendered once


def event(client_id: str, at: str, channel: str | None, campaign: str | None, **others) -> dict:
    """Return a page view of a customer on a day of August, or what `others` make of it."""
    return dict.fromkeys(CONTRACTS["web"]["events"].columns) | {
        "client_id": client_id,
        "event_type": "page_view",
        "event_time": f"2026-08-{at}:00",
        "channel": channel,
        "campaign_id": campaign,
        "is_deleted": False,
        **others,
    }


# Email and its campaign spring touch each of the two purchases twice; autumn shares the channel once.
EVENTS = [
    event("ann", "29 08:00", "Email", "spring"),
    event("ann", "29 09:00", "Paid Search", "brand"),
    event("ann", "30 08:00", "Email", "spring"),
    event("ann", "31 08:00", None, None, event_type="purchase", revenue="100"),
    event("bob", "28 08:00", "Email", "spring"),
    event("bob", "29 08:00", "Email", "autumn"),
    event("bob", "30 08:00", "Email", "spring"),
    event("bob", "31 08:00", None, None, event_type="purchase", revenue="50"),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory):
    """Return the warehouse of a client that compares participation with linear, after both purchases."""
    home = tmp_path_factory.mktemp("participation")
    (home / "clients").mkdir()
    text = settings("one", table="events", model="linear", compare="[participation]")
    (home / "clients/one.yaml").write_text(text)
    House(home).enter()
    models: Models = render("one")["one"]
    history = [Load(START, "web", {"events": EVENTS})]
    ((warehouse, _),) = replay(models, history, [START + timedelta(days=1)])
    return warehouse


def test_a_channel_that_touches_two_conversions_twice_takes_part_in_two_of_two(warehouse) -> None:
    """Adobe deduplicates what is met several times; PostHog's influenced conversions do as well."""
    found = warehouse.execute(
        """SELECT model, channel, ROUND(SUM(credit), 9), COUNT(*), SUM(attributed_revenue)::DOUBLE
        FROM one_marts.fct_credit
        GROUP BY model, channel ORDER BY model, channel"""
    ).fetchall()

    assert found == [
        ("linear", "Email", round(2 / 3 + 1, 9), 5, 116.67),
        ("linear", "Paid Search", round(1 / 3, 9), 1, 33.33),
        ("participation", "Email", 2, 5, 150),  # 50.00 by three touchpoints: 16.67, 16.67, 16.66
        ("participation", "Paid Search", 1, 1, 100),
    ]


def test_a_campaign_counts_the_conversions_it_took_part_in_each_once_and_whole(warehouse) -> None:
    query = """SELECT campaign, conversions::DOUBLE, revenue::DOUBLE
        FROM one_marts.model_months WHERE model = 'participation' ORDER BY campaign"""

    assert warehouse.execute(query).fetchall() == [
        ("autumn", 1, 50),
        ("brand", 1, 100),
        ("spring", 2, 150),
    ]


def test_the_comparison_says_that_participation_does_not_add_up(warehouse) -> None:
    query = """SELECT model, is_additive, ROUND(SUM(conversions), 9), SUM(revenue)::DOUBLE
        FROM one_marts.fct_models GROUP BY model, is_additive ORDER BY model"""

    assert warehouse.execute(query).fetchall() == [
        ("linear", True, 2, 150),
        ("participation", False, 4, 300),  # of two conversions over 150
    ]
