"""One conversion's numbers are explained from the files alone: what made them, or why there are none."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.explaining.conversion import ExplainError, Explanation, explain
from pipelines.lake.loads import seen_from
from pipelines.published.version_folders import current
from tests.builders import lake_writer
from tests.builders.histories import deal, replay, session
from tests.builders.lake_writer import START, Load
from tests.builders.settling import settle
from tests.conftest import House
from tests.rendered import render

pytestmark = pytest.mark.xdist_group("explain")  # its models are rendered once

CLIENTS = {
    "deals": {"model": "position_based", "exclude": "{customer_id: tester}"},
    "firsts": {"conversions": "{deal: {counts: false, counting: first}}"},
}
CLOSED = "2026-08-31 18:00:00"
OPEN = {"is_won": "false", "stage": "Proposal", "closed_at": None}
HOUR = timedelta(hours=1)
LOADS = [
    Load(
        START + HOUR,
        "web",
        {
            "sessions": [
                session(1, "2026-08-30 12:00:00", visitor_id="laptop", campaign="spring"),
                session(2, "2026-08-30 13:00:00", visitor_id="laptop", customer_id="ann"),
                session(
                    3, "2026-08-30 14:00:00", customer_id="ann", source="(direct)", medium=None
                ),
                session(4, "2026-08-31 19:00:00", customer_id="ann"),
                session(5, "2026-08-20 12:00:00", customer_id="bob"),
                session(6, "2026-08-31 12:00:00", customer_id="bob") | {"consent": "false"},
            ]
        },
    ),
    Load(
        START + 2 * HOUR,
        "salesforce",
        {
            "opportunities": [
                deal(1, "ann", CLOSED) | {"amount": "90"},
                deal(2, "bob", CLOSED),
                deal(3, "bob", CLOSED) | OPEN,
                deal(4, "tester", CLOSED),
                deal(5, None, CLOSED),
                deal(6, "ann", CLOSED),
                deal(7, "ann", CLOSED),
                deal(8, "cem", CLOSED),
                deal(10, "ann", "2026-08-31 19:30:00"),
            ]
        },
    ),
    Load(
        START + 3 * HOUR,
        "salesforce",
        {
            "opportunities": [
                deal(1, "ann", CLOSED),
                deal(6, "ann", CLOSED) | OPEN,
                deal(7, "ann", CLOSED) | {"is_deleted": True},
            ]
        },
    ),
    Load(
        START + 4 * HOUR,
        "web",
        {"sessions": [session(7, "2026-08-30 11:00:00", visitor_id="laptop", customer_id="ann")]},
    ),
]
LATER = Load(START + 9 * HOUR, "salesforce", {"opportunities": [deal(9, "ann", CLOSED)]})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish two clients' history; no warehouse is left that anybody could read."""
    home = tmp_path_factory.mktemp("explain")
    (home / "clients").mkdir()
    for name, chosen in CLIENTS.items():
        (home / f"clients/{name}.yaml").write_text(lake_writer.settings(name, **chosen))
    House(home).enter()
    models = render(*CLIENTS, published=True)
    for name in CLIENTS:
        for load in [*LOADS, LATER]:
            lake_writer.write(home, name, load)
        seen = [load._replace(at=seen_from(load.at)) for load in LOADS]
        ((warehouse, _),) = replay(models[name], seen, [START + 8 * HOUR])
        settle(warehouse, name, json.dumps({"settled": []}))
    _quarantine(home / "lake/deals/salesforce/quarantine", LOADS[1])
    for warehouse_file in (home / "warehouse").glob("*.duckdb*"):
        warehouse_file.unlink()
    return home


def _quarantine(folder: Path, load: Load) -> None:
    folder.mkdir()
    row = {
        "table_name": "opportunities",
        "export_file": "deals.csv",
        "line": 12,
        "reason": "closed_at 'soon' is no timestamp",
        "content": json.dumps({"opportunity_id": "deal-77", "closed_at": "soon"}),
    }
    pa.parquet.write_table(pa.Table.from_pylist([row]), folder / f"{load.load_id}.bad.parquet")


@pytest.fixture
def asked(home: Path) -> Callable[[str, str], Explanation]:
    """Return a function that explains a client's conversion."""
    house = House(home).enter()
    return lambda conversion, name="deals": explain(house.client(name), conversion)


def test_touches_weights_loads_and_version_are_those_of_the_number(asked: Callable) -> None:
    found = asked("deal-1")

    assert found.version == current("deals").version
    path = [
        (t.touchpoint_id, t.position, t.weight, t.credit, str(t.revenue)) for t in found.touches
    ]
    assert path == [
        ("session-7", 1, 0.4, 0.4, "40.00"),
        ("session-1", 2, pytest.approx(0.2), pytest.approx(0.2), "20.00"),
        ("session-2", 3, 0.4, 0.4, "40.00"),
    ]
    assert [(v.revenue, v.loaded_at) for v in found.versions] == [
        (90, seen_from(LOADS[1].at)),
        (100, seen_from(LOADS[2].at)),
    ]
    brought = {(row.key, row.load.source, row.load.load_id, row.place) for row in found.rows}
    web, crm, crm_again, late = LOADS
    assert brought == {
        ("session-7", "web", late.load_id, f"sessions-{late.load_id}, line 2"),
        ("session-1", "web", web.load_id, f"sessions-{web.load_id}, line 2"),
        ("session-2", "web", web.load_id, f"sessions-{web.load_id}, line 3"),
        ("deal-1", "salesforce", crm.load_id, f"opportunities-{crm.load_id}, line 2"),
        ("deal-1", "salesforce", crm_again.load_id, f"opportunities-{crm_again.load_id}, line 2"),
    }
    assert {row.load.committed_at for row in found.rows} == {load.at for load in LOADS}
    owners = {touch.touchpoint_id: touch.owner_known_at for touch in found.touches}
    assert owners["session-1"] == seen_from(late.at)  # whose it is, a later load has told
    whys = {touch.touchpoint_id: touch.why for touch in found.left_out}
    assert whys == {
        "session-4": "after the conversion",
        "session-3": "direct: earns where nothing else does (direct_touches: fallback)",
    }
    assert found.reasons == []


WHYS = {
    ("deals", "deal-2"): "before the lookback of 3 days",
    ("deals", "deal-3"): "not won; its stage is Proposal",
    ("deals", "deal-4"): "left out by exclude: customer_id: tester",
    ("deals", "deal-5"): "unattributed: its source does not say which customer it is of",
    ("deals", "deal-6"): "reopened: it was won before, and is not now; its stage is Proposal",
    ("deals", "deal-7"): "deleted: its CRM says so, or a full export lacks it",
    ("deals", "deal-8"): "unattributed: no touchpoint of its customer cem is known",
    ("firsts", "deal-1"): "not counted: the type deal is in attribution_v1 and conversions_by_type",
    ("firsts", "deal-10"): "not counted: only the first deal of ann counts, which is deal-1",
}


@pytest.mark.parametrize("client, conversion", WHYS)
def test_it_says_why_a_conversion_has_no_credit(
    asked: Callable, client: str, conversion: str
) -> None:
    found = asked(conversion, client)
    assert WHYS[client, conversion] in " | ".join(found.reasons)
    assert found.loads[found.versions[-1].loaded_at].source == "salesforce"


def test_consent_is_a_reason_of_its_own(asked: Callable) -> None:
    whys = {touch.touchpoint_id: touch.why for touch in asked("deal-2").left_out}
    assert whys["session-6"] == "taken back by its source, or without consent"


UNKNOWN = {
    "deal-9": f"load {LATER.load_id} of salesforce brought it at 2026-09-01 09:00 UTC from"
    f" opportunities-{LATER.load_id}, line 2: the next make daily publishes it",
    "deal-77": "its row of salesforce.opportunities is in quarantine, from deals.csv, line 12:"
    " closed_at 'soon' is no timestamp",
    "session-1": f"but a row of web.sessions: load {LOADS[0].load_id} of web brought it",
    "dael-2": "no load or quarantine has it; did you mean deal-2, ",
}


@pytest.mark.parametrize("conversion", UNKNOWN)
def test_an_id_that_is_no_conversion_is_told_apart(asked: Callable, conversion: str) -> None:
    with pytest.raises(ExplainError) as error:
        asked(conversion)
    assert UNKNOWN[conversion] in str(error.value)
    assert str(error.value).startswith(f"deals: {conversion} is no conversion of the version shown")


def test_the_command_needs_no_warehouse(home: Path) -> None:
    House(home).enter()
    done = CliRunner().invoke(app, ["explain", "deals", "--conversion", "deal-1"])
    assert done.exit_code == 0, done.output
    assert not list((home / "warehouse").glob("*.duckdb"))
    for shown in ("session-7", "20.00", "position_based", LOADS[3].load_id, "2026-09-01 04:00"):
        assert shown in done.output
    assert CliRunner().invoke(app, ["explain", "deals", "--conversion", "x"]).exit_code == 1
