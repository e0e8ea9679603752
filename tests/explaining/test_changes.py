"""Why published numbers moved is told by cause, and the causes' sums are what they moved by, to the cent."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.explaining.causes import Cause
from pipelines.explaining.compared_campaigns import total
from pipelines.explaining.made_then import made_then
from pipelines.explaining.number_changes import Changes, changes
from pipelines.explaining.replay import replay
from pipelines.explaining.steps import GoneVersion
from pipelines.learning import versions
from pipelines.published.rolling_back import show_version
from pipelines.published.shown_again import show_again
from pipelines.published.version_folders import (
    behind_files,
    current,
    settled_of,
    versions_of,
    whole_versions,
    written_at,
)
from pipelines.settings.reader import keep_promoted
from tests.builders import lake_writer
from tests.builders.histories import deal, mornings, session
from tests.builders.lake_writer import RATES, START, Load, invent
from tests.builders.settling import settle
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("changes")  # its models are rendered once

CHOSEN = {
    "first": {"model": "position_based", "rates": RATES},
    "second": {"model": "first_touch", "rates": RATES, "lookback_days": 2},
    "learns": {"model": "markov", "rates": RATES},
}
CLOSED = "2026-08-31 18:00:00"
OPEN = {"is_won": "false", "stage": "Proposal", "closed_at": None}
HOUR = timedelta(hours=1)
UNTIL = START + timedelta(days=2)


def spend(campaign: str, cost: str, **others) -> dict:
    """Return what a campaign cost on the eve."""
    return {
        "spend_date": "2026-08-31",
        "campaign_id": campaign,
        "campaign": campaign,
        "cost": cost,
        "currency": "EUR",
        "is_deleted": False,
    } | others


def rate(value: str, day: str = "2026-08-31") -> dict:
    """Return what a dollar is worth."""
    return {"rate_date": day, "currency": "USD", "rate": value, "is_deleted": False}


ANN = {"customer_id": "ann", "visitor_id": "laptop"}
PAID = {"source": "google", "medium": "cpc"}
SPRING = session(1, "2026-08-30 12:00:00", **ANN, campaign="spring")
BASE = [
    Load(START + HOUR, "rates", {"rates": [rate("0.9")]}),
    Load(
        START + 2 * HOUR,
        "web",
        {
            "sessions": [
                SPRING,
                session(2, "2026-08-30 13:00:00", **ANN, **PAID, campaign="brand"),
                session(3, "2026-08-30 14:00:00", customer_id="bob", **PAID, campaign="brand"),
                session(4, "2026-08-30 15:00:00", visitor_id="phone"),
            ]
        },
    ),
    Load(
        START + 3 * HOUR,
        "google_ads",
        {"spend": [spend("brand", "10"), spend("dear", "20", currency="USD"), spend("old", "5")]},
    ),
    Load(
        START + 4 * HOUR,
        "salesforce",
        {
            "opportunities": [
                deal(1, "ann", CLOSED),
                deal(2, "bob", CLOSED) | {"amount": "33.33"},
                deal(3, "ann", CLOSED) | OPEN,
                deal(4, "ann", CLOSED) | {"amount": "50", "currency": "USD"},
            ]
        },
    ),
]
PHONE = session(5, "2026-08-28 12:00:00", visitor_id="phone", customer_id="bob")
# What comes after the version of then: the cause that it is told by, and what it moves in all.
NEWS: dict[str, tuple[str, dict, dict[Cause, tuple[str, str, str]]]] = {
    "a new deal": ("opportunities", deal(9, "ann", CLOSED), {Cause.NEW: ("0", "1", "100")}),
    "a deal is won": ("opportunities", deal(3, "ann", CLOSED), {Cause.WON: ("0", "1", "100")}),
    "a deal is reopened": (
        "opportunities",
        deal(1, "ann", CLOSED) | OPEN,
        {Cause.REOPENED: ("0", "-1", "-100")},
    ),
    "a deal is deleted": (
        "opportunities",
        deal(2, "bob", CLOSED) | {"is_deleted": True},
        {Cause.DELETED: ("0", "-1", "-33.33")},
    ),
    "an amount is revised": (
        "opportunities",
        deal(1, "ann", CLOSED) | {"amount": "120.01"},
        {Cause.REVISED: ("0", "0", "20.01")},
    ),
    "a deal is another's": (
        "opportunities",
        deal(1, "bob", CLOSED),
        {Cause.REVISED: ("0", "0", "0")},
    ),
    "a rate is corrected": ("rates", rate("0.8"), {Cause.RATES: ("-2", "0", "-5")}),
    "a late session": (
        "sessions",
        session(9, "2026-08-31 09:00:00", customer_id="bob"),
        {Cause.LATE: ("0", "0", "0")},
    ),
    "a session is revised": (
        "sessions",
        SPRING | {"source": "facebook", "medium": "cpc"},
        {Cause.TOUCH_REVISED: ("0", "0", "0")},
    ),
    "consent is withdrawn": (
        "sessions",
        SPRING | {"consent": "false"},
        {Cause.TOUCH_DELETED: ("0", "0", "0")},
    ),
    "a browser's owner is seen": ("sessions", PHONE, {Cause.IDENTITIES: ("0", "0", "0")}),
    "a new day of spend": (
        "spend",
        spend("brand", "7.5", spend_date="2026-09-01"),
        {Cause.NEW_SPEND: ("7.5", "0", "0")},
    ),
    "spend is restated": (
        "spend",
        spend("brand", "9.99"),
        {Cause.RESTATED_SPEND: ("-0.01", "0", "0")},
    ),
    "spend is taken back": (
        "spend",
        spend("old", "5", is_deleted=True),
        {Cause.DELETED_SPEND: ("-5", "0", "0")},
    ),
}
SOURCES = {
    "opportunities": "salesforce",
    "sessions": "web",
    "spend": "google_ads",
    "rates": "rates",
}


class Shop:
    """A client whose history is published as a run would, as often as a test says so."""

    def __init__(self, home: Path, models: dict[str, Models]) -> None:
        self.home, self.models = home, models
        self.house = House(home).enter()

    def begin(self, chosen: str = "first") -> None:
        """Forget what was published, and go by some settings."""
        for folder in ("published", "settled", "lake"):
            shutil.rmtree(self.home / folder, ignore_errors=True)
        self.promotion = 0
        self.choose(chosen)

    def choose(self, chosen: str) -> None:
        """Promote some settings."""
        self.chosen = chosen
        self.promotion += 1
        text = lake_writer.settings("shop", **CHOSEN[chosen])
        (self.home / "clients/shop.yaml").write_text(text)
        keep_promoted(self.house.client("shop"))

    def publish(self, history: list[Load], until: datetime = UNTIL) -> str:
        """Compute a history, and publish it; return the version."""
        models = self.models[self.chosen]
        warehouse = models.empty()
        for load in history:
            models.load(warehouse, load)
        models.learn(warehouse, str(self.home))
        models.run(warehouse, START, until)
        settle(warehouse, "shop", json.dumps({"settled": []}), self.promotion)
        return current("shop").version

    def changes(self, since: str, by_campaign: bool = False) -> Changes:
        """Return why numbers moved since a version, none of which is told to be unknown."""
        found = changes(self.house.client("shop"), written_at(since), by_campaign)
        assert found.before == since
        place = "(channel, campaign)" if by_campaign else "channel"
        assert sums(found.moves, by_campaign) == moved(since, found.after, place)
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a client by each of the settings, its models rendered."""
    home = tmp_path_factory.mktemp("changes")
    (home / "clients").mkdir()
    models = {}
    for chosen, others in CHOSEN.items():
        (home / "clients/shop.yaml").write_text(lake_writer.settings("shop", **others))
        House(home).enter()
        models |= {chosen: render("shop", published=True)["shop"]}
    return Shop(home, models)


@pytest.fixture
def begun(shop: Shop) -> Iterator[Shop]:
    """Return the client anew, on whatever settings a test begins with."""
    shop.house.enter()
    shop.begin()
    yield shop


def sums(rows: list, by_campaign: bool) -> dict[object, list[Decimal]]:
    """Return what causes moved in all, by channel, or by channel and campaign; of those that moved."""
    total: dict[object, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in rows:
        place = (row.channel, row.campaign) if by_campaign else row.channel
        added = (row.cost, row.credit, row.revenue)
        total[place] = [one + other for one, other in zip(total[place], added)]
    return _those_that_moved(total)


def moved(before: str, after: str, place: str) -> dict[object, list[Decimal]]:
    """Return by how much the published campaigns of two versions differ."""
    total: dict[object, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for version, sign in ((before, -1), (after, 1)):
        file = versions_of("shop") / version / "campaigns_v1.parquet"
        with duckdb.connect() as reader:
            rows = reader.execute(
                f"""SELECT {place}, SUM(cost), SUM(conversions::DECIMAL(38, 18)), SUM(revenue)
                FROM '{file}' GROUP BY ALL"""
            ).fetchall()
        for name, *figures in rows:
            total[name] = [one + sign * other for one, other in zip(total[name], figures)]
    return _those_that_moved(total)


def _those_that_moved(total: dict[object, list[Decimal]]) -> dict[object, list[Decimal]]:
    """Return cost and revenue to the last digit, and credit, a sum of DOUBLEs, to nine."""
    rounded = {place: [row[0], round(row[1], 9), row[2]] for place, row in total.items()}
    return {place: row for place, row in rounded.items() if any(row)}


def news(name: str, at: datetime = START + 9 * HOUR) -> Load:
    """Return a load that brings one piece of news."""
    table, row, _ = NEWS[name]
    return Load(at, SOURCES[table], {table: [row]})


def told(found: Changes) -> dict[Cause, tuple]:
    """Return what each cause moved in all."""
    return {
        row.cause: (row.cost, pytest.approx(row.credit, abs=Decimal("1e-9")), row.revenue)
        for row in found.causes
    }


def numbers(expected: dict[Cause, tuple[str, str, str]]) -> dict[Cause, tuple]:
    return {cause: tuple(map(Decimal, row)) for cause, row in expected.items()}


@pytest.mark.parametrize("name", NEWS)
def test_each_reason_is_told_by_its_cause_alone(begun: Shop, name: str) -> None:
    before = begun.publish(BASE)
    begun.publish([*BASE, news(name)])

    found = begun.changes(before)

    assert numbers(NEWS[name][2]) == told(found)
    assert found.moves and found.settings == []


def test_all_reasons_together_are_told_apart(begun: Shop) -> None:
    before = begun.publish(BASE)
    together = [name for name in NEWS if name not in ("a deal is reopened", "a deal is another's")]
    loads = [
        news(name, START + 9 * HOUR + timedelta(minutes=number))
        for number, name in enumerate(together)
    ]
    begun.publish([*BASE, *loads])

    found = begun.changes(before)

    causes = told(found)
    assert Cause.OTHER not in causes
    alone = ("a new deal", "a deal is won", "a deal is deleted", "an amount is revised")
    for name in (*alone, "a new day of spend", "spend is restated", "spend is taken back"):
        for cause, row in numbers(NEWS[name][2]).items():
            assert causes[cause] == row, cause


def test_shares_and_revenue_of_one_deal_are_two_causes(begun: Shop) -> None:
    before = begun.publish(BASE)
    late = session(9, "2026-08-31 09:00:00", customer_id="bob")
    loads = [
        Load(START + 9 * HOUR, "web", {"sessions": [late]}),
        Load(
            START + 10 * HOUR,
            "salesforce",
            {"opportunities": [deal(2, "bob", CLOSED) | {"amount": "43.34"}]},
        ),
    ]
    begun.publish([*BASE, *loads])

    found = begun.changes(before)

    assert {(m.cause, m.channel): m.revenue for m in found.moves} == {
        (Cause.LATE, "Email"): Decimal("16.66"),
        (Cause.LATE, "Paid Search"): Decimal("-16.66"),
        (Cause.REVISED, "Email"): Decimal("5.01"),
        (Cause.REVISED, "Paid Search"): Decimal("5.00"),
    }


def test_a_promotion_is_a_cause_and_names_its_settings(begun: Shop) -> None:
    before = begun.publish(BASE)
    begun.choose("second")
    begun.publish([*BASE, news("a new deal")])

    found = begun.changes(before)

    assert {row.cause: row.revenue for row in found.causes} == {
        Cause.NEW: Decimal(100),
        Cause.PROMOTION: 0,
    }
    ((version, changed),) = found.settings
    assert version == found.after
    assert [str(each) for each in changed] == [
        "attribution.model: position_based → first_touch",
        "attribution.lookback_days: 3 → 2",
    ]


def test_what_a_model_has_learnt_since_is_a_cause(begun: Shop) -> None:
    begun.begin("learns")
    with duckdb.connect() as connection:
        for hours, weight in ((0, 0.5), (6, 0.9)):
            learnt = f"""SELECT *, 'conversions' AS worth, 1 AS learnt, 1 AS credited, 'ok' AS status,
                NULL AS standard_error, 2 AS conversions, 0 AS nulls, '' AS decided
                FROM (VALUES ('Email', {weight}), ('Paid Search', 0.5)) AS weights(channel, weight)"""
            at = START + timedelta(hours=hours)
            versions.keep(connection, learnt, str(begun.home), "shop", "markov_weights_order_1", at)
    before = begun.publish(BASE)
    again = Load(START + 9 * HOUR, "salesforce", {"opportunities": [deal(1, "ann", CLOSED)]})
    begun.publish([*BASE, again])

    assert {row.cause: row.examples for row in begun.changes(before).causes} == {
        Cause.TRAINING: ["deal-1"]
    }


def test_a_rollback_is_a_cause_of_its_own(begun: Shop) -> None:
    first = begun.publish(BASE)
    second = begun.publish([*BASE, news("a new deal")])
    moved = [(Cause.ROLLBACK, Decimal(-100))]
    show_version("shop", first)
    assert [(row.cause, row.revenue) for row in begun.changes(second).causes] == moved


def test_a_promotion_that_is_taken_back_is_told_as_a_rollback(begun: Shop) -> None:
    begun.publish(BASE)
    tables = behind_files("shop")
    begun.choose("second")
    promoted = begun.publish([*BASE, news("a new deal")])
    show_again("shop", frozenset(tables))

    found = begun.changes(promoted)

    assert {row.cause for row in found.causes} == {Cause.ROLLBACK}


def test_what_went_up_and_down_again_is_no_change(begun: Shop) -> None:
    before = begun.publish(BASE)
    up = news("an amount is revised")
    begun.publish([*BASE, up])
    down = Load(START + 10 * HOUR, "salesforce", {"opportunities": [deal(1, "ann", CLOSED)]})
    begun.publish([*BASE, up, down])

    assert begun.changes(before).causes == []


def test_spend_of_versions_without_its_rows_is_told_by_campaign(begun: Shop) -> None:
    before = begun.publish(BASE)
    begun.publish([*BASE, news("spend is restated")])
    for version in whole_versions("shop"):  # as those of older releases are
        file = settled_of("shop") / version / "manifest.json"
        held = json.loads(file.read_text())
        del held["tables"]["staging"]["stg_ad_spend"]
        file.write_text(json.dumps(held))

    assert told(begun.changes(before)) == numbers(NEWS["spend is restated"][2])


@given(seed=strategies.integers(0, 2**32))
@hypothesis_settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_of_any_history_the_causes_tell_all(shop: Shop, seed: int) -> None:
    random = Random(seed)
    shop.house.enter()
    shop.begin()
    history = invent(random, shop.house.client("shop"), 20, 10)
    runs = mornings(random, history, 3)
    published = []
    for number, until in enumerate(runs):
        if number == len(runs) - 1 and seed % 2:
            shop.choose("second")
        published.append(shop.publish([load for load in history if load.at < until], until))

    found = shop.changes(published[0])
    shop.changes(published[0], by_campaign=True)

    assert Cause.OTHER not in {row.cause for row in found.causes}, found.causes


def test_a_version_that_is_gone_is_said_to_be_gone(begun: Shop) -> None:
    version = begun.publish(BASE)
    client = begun.house.client("shop")
    early = written_at(version) - timedelta(days=30)
    with pytest.raises(
        GoneVersion, match=r"published_files\.keep_days: 7 in its file says how long"
    ):
        changes(client, early)


def test_a_replay_shows_the_numbers_of_then(begun: Shop) -> None:
    before = begun.publish(BASE)
    begun.publish([*BASE, news("a new deal")])
    client = begun.house.client("shop")

    found = replay(client, written_at(before))

    assert (found.version, found.numbers.models) == (before, ["position_based"])
    assert found.settings == client
    assert total(found.numbers.campaigns).after.revenue == Decimal("178.33")
    now = replay(client, written_at(current("shop").version))
    assert total(now.numbers.campaigns).after.revenue == Decimal("278.33")

    for load in BASE:
        lake_writer.write(begun.home, "shop", load)
    with pytest.raises(GoneVersion, match="is gone, or was never published"):
        replay(client, START + timedelta(days=1))
    assert len(made_then(client, START + timedelta(days=1)).loads) == 4
    with pytest.raises(GoneVersion, match="no load was committed by"):
        made_then(client, START)
    shown = CliRunner().invoke(app, ["replay", "shop", "--as-of", "2100-01-01"])
    assert shown.exit_code == 0 and "278.33" in shown.output, shown.output


def test_the_command_shows_causes_channels_and_totals(begun: Shop) -> None:
    before = begun.publish(BASE)
    begun.publish([*BASE, news("an amount is revised"), news("a new day of spend")])

    since = f"{written_at(before):%Y-%m-%dT%H:%M:%S.%f}"
    done = CliRunner().invoke(app, ["changes", "shop", "--since", since])

    assert done.exit_code == 0, done.output
    for shown in ("revised conversions", "+20.01", "new spend", "+7.50", "deal-1", "total"):
        assert shown in done.output
    done = CliRunner().invoke(app, ["changes", "shop", "--since", "2020-01-01"])
    assert done.exit_code == 1 and "is gone, or was never published" in done.output
