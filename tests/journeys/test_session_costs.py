"""Conversions and session costs of a site's own exports, through the models' own SQL.

Generated histories: costs before their sessions, sessions that never come, restated and withdrawn
rows. What is spent is compared with plain Python, day by day with a rebuild.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from tests.builders.lake_writer import START, Load
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("session_costs")  # its models are rendered once

SETTINGS = """
name: One
currency: EUR
start: 2026-09-01
timezone: Asia/Tokyo
attribution: {lookback_days: 3, direct_touches: include}
sources:
  web:
    sessions: {files: none}
    conversions: {files: none}
    session_costs: {files: none}
  google_ads:
    spend: {files: none}
"""
OWN = {"staging.stg_conversions", "staging.stg_session_costs", "marts.fct_session_costs"}
TOKYO = timedelta(hours=9)

flags = strategies.booleans()
names = strategies.sampled_from("abcd")
hours = strategies.integers(-100, 10)
money = strategies.sampled_from(["0", "1.25", "0.000001", "-3", "7.1"])


def at(hour: int) -> str:
    """Return a time some hours from the start, with its offset."""
    return f"{START + timedelta(hours=hour)}Z"


sessions = strategies.builds(
    lambda name, customer, hour, channel, campaign, is_deleted: {
        "session_id": name,
        "customer_id": customer,
        "started_at": at(hour),
        "channel": channel,
        "campaign": campaign,
        "is_deleted": is_deleted,
    },
    names,
    strategies.sampled_from(["ann", "bob", None]),
    hours,
    strategies.sampled_from(["Email", "Direct"]),
    strategies.sampled_from(["spring", None]),
    flags,
)
conversions = strategies.builds(
    lambda name, customer, hour, revenue, is_deleted: {
        "conversion_id": name,
        "customer_id": customer,
        "converted_at": at(hour),
        "revenue": revenue,
        "is_deleted": is_deleted,
    },
    names,
    strategies.sampled_from(["ann", "bob", None]),
    hours,
    strategies.sampled_from(["100", "0.01", "-7.77", "0"]),
    flags,
)
costs = strategies.builds(
    lambda name, cost, is_deleted: {"session_id": name, "cost": cost, "is_deleted": is_deleted},
    names,
    money | strategies.none(),
    flags,
)
KEYS = {"sessions": "session_id", "conversions": "conversion_id", "session_costs": "session_id"}


@strategies.composite
def histories(draw) -> list[Load]:
    """Return loads at times apart, a key at most once in each table of a load."""
    loads = []
    rows = {"sessions": sessions, "conversions": conversions, "session_costs": costs}
    for number in range(draw(strategies.integers(1, 5))):
        hour = 9 * number + draw(strategies.integers(0, 8))
        tables = {
            table: draw(
                strategies.lists(row, max_size=4, unique_by=lambda one, t=table: one[KEYS[t]])
            )
            for table, row in rows.items()
        }
        loads.append(Load(START + timedelta(hours=hour), "web", tables))
    return loads


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the models of a client with conversions and session costs, and of one without."""
    home = tmp_path_factory.mktemp("costs")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(SETTINGS)
    (home / "clients/two.yaml").write_text("name: Two\ncurrency: EUR\nsources: {}\n")
    House(home).enter()
    return render("one", "two")


@pytest.fixture(scope="module")
def models(both: dict[str, Models]) -> Models:
    """Return the models of the client with conversions and session costs."""
    return both["one"]


def spent(history: list[Load]) -> dict[tuple, Decimal]:
    """Return what was spent by date, channel and campaign: each session's newest cost, once."""
    delivered, charged, first = {}, {}, {}
    for load in history:
        for row in load.tables["sessions"]:
            delivered[row["session_id"]] = row
        for row in load.tables["session_costs"]:
            charged[row["session_id"]] = row
            first.setdefault(row["session_id"], load.at)
    sums: dict[tuple, Decimal] = defaultdict(Decimal)
    for name, row in charged.items():
        if row["is_deleted"] or row["cost"] is None:
            continue
        found = delivered.get(name)
        moment = datetime.fromisoformat(found["started_at"][:-1]) if found else first[name]
        channel = found["channel"] if found else "unattributed"
        campaign = (found and found["campaign"]) or "(not set)"
        sums[(moment + TOKYO).date(), channel, campaign] += Decimal(row["cost"])
    return {key: cost for key, cost in sums.items() if cost}


@pytest.mark.slow
@given(history=histories())
@hypothesis_settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_every_cost_is_spent_once_and_every_conversion_credited(
    models: Models, history: list[Load]
) -> None:
    warehouse, rebuilt = models.empty(), models.empty()
    start = START
    for number, load in enumerate(history, 1):
        models.load(warehouse, load)
        models.run(warehouse, start, until := load.at + timedelta(seconds=1))
        start = until.replace(hour=0, minute=0, second=0)

        found = warehouse.execute("FROM one_marts.fct_campaigns").fetchall()
        columns = [name for name, *_ in warehouse.description]
        rows = [dict(zip(columns, row)) for row in found]
        keys = [(row["date"], row["channel"], row["campaign"]) for row in rows]
        cost = {key: row["cost"] for key, row in zip(keys, rows) if row["cost"]}
        assert cost == spent(history[:number])
        newest = {
            row["conversion_id"]: row
            for one in history[:number]
            for row in one.tables["conversions"]
        }
        kept = [Decimal(row["revenue"]) for row in newest.values() if not row["is_deleted"]]
        assert sum(row["conversions"] for row in rows) == pytest.approx(len(kept), abs=1e-9)
        assert sum(row["revenue"] for row in rows) == sum(kept)

    for load in history:
        models.load(rebuilt, load)
    models.run(rebuilt, START, until)
    for table in models.queries:
        rows = f"FROM one_{table} ORDER BY ALL"
        assert warehouse.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table


def test_a_client_has_the_tables_that_it_delivers(both: dict[str, Models]) -> None:
    assert both["one"].queries.keys() >= OWN
    assert OWN.isdisjoint(both["two"].queries)


def test_a_cost_waits_as_unattributed_for_its_session(models: Models) -> None:
    warehouse = models.empty()
    cost = {"session_id": "a", "cost": "2.50", "is_deleted": False}
    session = {"session_id": "a", "channel": "Email", "started_at": at(-48), "is_deleted": False}
    late = START + timedelta(hours=30)
    query = "SELECT date::TEXT, channel, cost FROM one_marts.fct_campaigns"

    models.load(warehouse, Load(START, "web", {"session_costs": [cost]}))
    models.run(warehouse, START, START + timedelta(hours=1))
    before = warehouse.execute(query).fetchall()
    models.load(warehouse, Load(late, "web", {"sessions": [session]}))
    models.run(warehouse, START, late + timedelta(hours=1))
    after = warehouse.execute(query).fetchall()

    assert before == [("2026-09-01", "unattributed", Decimal("2.500000"))]
    assert after == [("2026-08-30", "Email", Decimal("2.500000"))]
