"""Whose an anonymous session is: browsers that several people share, seen before, between and after."""

from collections import Counter
from datetime import timedelta
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.learning.journeys import journeys
from pipelines.settings.client import Client
from tests.builders import lake_writer
from tests.builders.histories import DAY, deal, mornings, replay, session
from tests.builders.lake_writer import START, Load, World, invent
from tests.conftest import House
from tests.oracles import oracle
from tests.oracles.null_journey_oracle import null_paths
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("identity")  # its models are rendered once

CLIENTS = {
    "nextseen": {"direct_touches": "include"},
    "lastseen": {"direct_touches": "include", "identity": "last_seen"},
}


class SharedBrowsers(World):
    """Two browsers that four people share, so that most sessions lie between those of others."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.visitors = ["kitchen", "library"]

    def _new_sessions(self) -> dict:
        return super()._new_sessions() | {
            "visitor_id": self._any([*self.visitors, *self.visitors, None]),
            "customer_id": self._any([*self.customers[:3], None, None, None]),
            "consent": self._any([None, None, None, "false"]),
        }


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Client, Models]]:
    """Return a client by each rule and its models, to run without SQLMesh."""
    home = tmp_path_factory.mktemp("identity")
    (home / "clients").mkdir()
    for name, chosen in CLIENTS.items():
        (home / f"clients/{name}.yaml").write_text(lake_writer.settings(name, **chosen))
    house = House(home).enter()
    return {name: (house.client(name), models) for name, models in render(*CLIENTS).items()}


def credit(warehouse: duckdb.DuckDBPyConnection, client: str) -> dict[tuple, float]:
    """Return the credit that counts now, by conversion and touchpoint."""
    rows = warehouse.execute(
        f"SELECT conversion_id, touchpoint_id, credit FROM {client}_marts.fct_credit"
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2] for row in rows}


def nulls(warehouse: duckdb.DuckDBPyConnection, client: Client, until) -> Counter:
    """Return how often training finds each path without a conversion."""
    found: Counter = Counter()
    for row in journeys(warehouse, client, until).to_pylist():
        found[tuple(row["path"])] += row["nulls"]
    return +found


@pytest.mark.parametrize("name", CLIENTS)
@given(seed=strategies.integers(0, 2**32))
@hypothesis_settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_generated_browsers(
    clients: dict[str, tuple[Client, Models]], name: str, seed: int
) -> None:
    random = Random(seed)
    client, models = clients[name]
    history = invent(random, client, 20, 12, SharedBrowsers)
    runs = sorted({at.replace(microsecond=0) for at in mornings(random, history, 4)})
    runs.append(runs[-1] + 9 * DAY)  # all journeys are over

    for warehouse, until in replay(models, history, runs):
        found = credit(warehouse, name)
        assert found == {
            (each.conversion.conversion_id, each.touch and each.touch.touchpoint_id): pytest.approx(
                float(each.credit), abs=1e-12
            )
            for each in oracle.credits(history, client, until)
        }
        sums: Counter = Counter()
        for (conversion, _), share in found.items():
            sums[conversion] += share
        assert all(total == pytest.approx(1) for total in sums.values())
        assert nulls(warehouse, client, until) == null_paths(history, client, until)

    ((rebuilt, _),) = replay(models, history, runs[-1:])
    for table in models.queries:
        rows = f"FROM {name}_{table} ORDER BY ALL"
        assert warehouse.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table


def sessions(*said: tuple[str, str | None], browser: str = "kitchen") -> list[dict]:
    """Return a session of one browser for each time, with who it was."""
    return [
        session(number, f"2026-08-{at}:00:00", visitor_id=browser, customer_id=who)
        for number, (at, who) in enumerate(said, 1)
    ]


def loads(*batches: list[dict]) -> list[Load]:
    """Return what is committed on the days from the first on: sessions and deals."""
    return [
        Load(START + day * DAY + timedelta(hours=hour), source, {table: own})
        for day, rows in enumerate(batches)
        for hour, (source, table, key) in enumerate(
            [("web", "sessions", "session_id"), ("salesforce", "opportunities", "opportunity_id")]
        )
        if (own := [row for row in rows if key in row])
    ]


def owners(clients: dict, name: str, *batches: list[dict]) -> dict[str, set[str]]:
    """Return the touchpoints of each conversion in the end, replayed day by day."""
    _, models = clients[name]
    runs = [START + (day + 1) * DAY for day in range(len(batches))]
    *_, (warehouse, _) = replay(models, loads(*batches), runs)
    found: dict[str, set[str]] = {}
    for conversion, touchpoint in credit(warehouse, name):
        found.setdefault(conversion, set()).add(touchpoint)
    return found


# ann is seen, then nobody twice, then bob, then ann again; one sells before bob, one after, one at last.
SHARED = sessions(
    ("29 08", "ann"), ("29 12", None), ("29 16", None), ("30 08", "bob"), ("31 08", "ann")
)
SALES = [
    deal(1, "ann", "2026-08-29 20:00:00"),
    deal(2, "bob", "2026-08-30 20:00:00"),
    deal(3, "ann", "2026-08-31 20:00:00"),
]


def test_a_session_serves_two_peoples_conversions(clients: dict) -> None:
    anns, bobs = {"session-1"}, {"session-4"}
    nobodys = {"session-2", "session-3"}

    assert owners(clients, "nextseen", [*SHARED, *SALES]) == {
        "deal-1": anns | nobodys,  # as far as was known then, ann went on
        "deal-2": bobs | nobodys,  # who is seen next counts more than who was seen before
        "deal-3": anns | {"session-5"},  # the next one seen after them is bob, for ever
    }
    assert owners(clients, "lastseen", [*SHARED, *SALES]) == {
        "deal-1": anns | nobodys,
        "deal-2": bobs,
        "deal-3": anns | nobodys | {"session-5"},
    }


@pytest.mark.parametrize("seen_at", ["30 20", "31 08"])
def test_a_login_after_the_conversion_changes_nothing(clients: dict, seen_at: str) -> None:
    """One in the very second of the conversion still counts."""
    before = sessions(("29 08", "ann"), ("29 12", None), (seen_at, "bob"))
    sales = [deal(1, "ann", "2026-08-30 20:00:00"), deal(2, "bob", "2026-08-30 20:00:00")]
    *known, news = before
    _, models = clients["nextseen"]
    history = loads([*known, *sales], [news])
    *_, (warehouse, _) = replay(models, history, [START + DAY, START + 2 * DAY])

    revised = warehouse.execute(
        "SELECT conversion_id FROM nextseen_journeys.revisions WHERE revised_at >= ?", [START + DAY]
    ).fetchall()
    found = credit(warehouse, "nextseen")
    if seen_at == "31 08":
        assert revised == []
        assert set(found) == {("deal-1", "session-1"), ("deal-1", "session-2"), ("deal-2", None)}
    else:
        assert sorted(revised) == [("deal-1",), ("deal-2",)]
        assert set(found) == {
            ("deal-1", "session-1"),
            ("deal-2", "session-2"),
            ("deal-2", "session-3"),
        }


def test_what_is_known_later_counts_as_if_known_at_once(clients: dict) -> None:
    """Sightings that come late, move, are taken back, or were on another browser."""
    first, *others = SHARED
    bob = SHARED[3]
    late = owners(clients, "nextseen", [*others, *SALES], [first])
    assert late == owners(clients, "nextseen", [*SHARED, *SALES])

    taken_back = owners(clients, "nextseen", [*SHARED, *SALES], [bob | {"is_deleted": True}])
    assert taken_back == owners(clients, "nextseen", [*SHARED[:3], SHARED[4], *SALES])
    moved = bob | {"started_at": "2026-08-31 09:00:00"}
    assert owners(clients, "nextseen", [*SHARED, *SALES], [moved]) == owners(
        clients, "nextseen", [*SHARED[:3], moved, SHARED[4], *SALES]
    )
    elsewhere = bob | {"visitor_id": "library"}
    found = owners(clients, "nextseen", [*SHARED, *SALES], [elsewhere])
    assert found["deal-2"] == {"session-4"}
    assert found["deal-3"] >= {"session-2", "session-3"}
