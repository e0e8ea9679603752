"""Credit of what changed since the last run, without the warehouse: the rows that the next run will publish."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.fastpath.computing import FastPathError, provisional
from pipelines.fastpath.judging import failures as judged
from pipelines.fastpath.rendered_models import loaded as models_loaded
from pipelines.fastpath.rendering import render as rendered
from pipelines.home import lake_folder
from pipelines.ihc import request_log
from pipelines.ihc.packing import Journey
from pipelines.lake.loads import seen_from
from pipelines.learning import versions
from pipelines.published.models_file import NAME, models_text
from pipelines.published.version_folders import settled_of, whole_versions
from pipelines.serving.warehouse import Warehouse
from pipelines.settings.client import Client
from tests.builders import lake_writer
from tests.builders.crm_writer import CrmWorld
from tests.builders.histories import DAY, deal, mornings, replay, session
from tests.builders.lake_writer import RATES, START, Load, invent
from tests.builders.settling import settle
from tests.conftest import PROJECT, House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("fast_path")  # its models are rendered once

ACCOUNTS = """
name: accounts
timezone: Europe/Berlin
currency: EUR
start: 2026-09-01
attribution:
  model: w_shaped
  compare: [full_path, milestones, linear]
  lookback_days: 6
  milestones: {shares: {first: 0.1, sql: 0.5, closing: 0.2}, dates: {sql: milestone_2}}
  journeys: account
  contacts: {roles: [Decision Maker], campaign_members: true}
sources:
  web:
    sessions: {files: none}
  salesforce:
    opportunities: {files: none}
    contacts: {files: none}
    contact_roles: {files: none}
    leads: {files: none}
    campaign_members: {files: none}
"""
IHC = "{}\n  custom: {mine: position - 2}\n  ihc: {by: service, conv_type_id: deals, base_url: 'http://localhost:9'}"  # nobody listens
FILES = {
    "deals": lake_writer.settings("deals", model="position_based", compare="[linear, markov]"),
    "shop": lake_writer.settings(
        "shop",
        model="time_decay",
        table="events",
        identity="last_seen",
        currency="JPY",
        timezone="Asia/Tokyo",
        rates=RATES,
        conversions="{signup: {event: signup, lookback_days: 1, model: first_touch}}",
    ),
    "accounts": ACCOUNTS,
    "asks": lake_writer.settings("asks", model="ihc", compare="[ihc_local, mine]", learning=IHC),
}
CREDIT = "attribution_v1"


class Prepared(NamedTuple):
    """A client, its models for a run, and the text of those for the fast path."""

    client: Client
    models: Models
    text: str


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    """Return clients and their models; no warehouse is left that anybody could read."""
    home = tmp_path_factory.mktemp("fast_path")
    (home / "clients").mkdir()
    for name, text in FILES.items():
        (home / f"clients/{name}.yaml").write_text(text)
    house = House(home).enter()
    learnt = "SELECT 'Email' AS channel, 0.7 AS weight, 'ok' AS status"
    with duckdb.connect() as connection:
        for day in (1, 3):  # the second comes into force within the histories
            at = START + timedelta(days=day)
            versions.keep(connection, learnt, str(home), "deals", "markov_order_1", at)
    models = render(*FILES, published=True)
    warehouse = Warehouse("home")
    texts = {
        name: rendered(
            name, [model for full, model in warehouse.models.items() if full.startswith(f"{name}_")]
        ).dumped()
        for name in FILES
    }
    warehouse.close()
    shutil.rmtree(home / "warehouse")
    return {name: Prepared(house.client(name), models[name], texts[name]) for name in FILES}


@pytest.fixture
def fresh(clients: dict[str, Prepared]) -> Callable[[str], Prepared]:
    """Return a function that begins a client anew: nothing loaded, nothing published."""

    def begin(name: str) -> Prepared:
        home = lake_folder().parent
        for source in ("web", "salesforce", "google_ads", "facebook_ads", "rates", "_ihc"):
            shutil.rmtree(home / "lake" / name / source, ignore_errors=True)
        for folder in ("published", "settled"):
            shutil.rmtree(home / folder / name, ignore_errors=True)
        (home / f"published/{name}.duckdb").unlink(missing_ok=True)
        return clients[name]

    return begin


def write(name: str, history: list[Load]) -> None:
    """Write loads into a client's lake."""
    for load in history:
        lake_writer.write(lake_folder().parent, name, load)


def seen(history: list[Load]) -> list[Load]:
    """Return loads at the times from which runs see them: those that the lake's readers go by."""
    return [load._replace(at=seen_from(load.at)) for load in history]


def run(prepared: Prepared, history: list[Load], until: datetime) -> duckdb.DuckDBPyConnection:
    """Compute all models over a history, as the batch does, up to a moment."""
    ((warehouse, _),) = replay(prepared.models, history, [until])
    return warehouse


def combined(name: str, until: datetime, table: str = CREDIT) -> list[tuple]:
    """Return what a reader has who takes the settled rows, and the provisional ones in their place."""
    with provisional(name, until) as new:
        assert new
        return new.connection.execute(
            f"""FROM {new.settled(table)} WHERE NOT conversion_id IN (FROM {new.changed})
            UNION ALL FROM {new.rows(table)} ORDER BY ALL"""
        ).fetchall()


def published(warehouse: duckdb.DuckDBPyConnection, name: str, table: str = CREDIT) -> list[tuple]:
    """Return what the batch publishes."""
    return warehouse.execute(f"FROM {name}_publish.{table} ORDER BY ALL").fetchall()


@given(
    seed=strategies.integers(0, 2**32), name=strategies.sampled_from(["deals", "shop", "accounts"])
)
@hypothesis_settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_provisional_rows_are_those_of_the_batch(
    fresh: Callable[[str], Prepared], seed: int, name: str
) -> None:
    random, prepared = Random(seed), fresh(name)
    history = invent(random, prepared.client, 20, 10, CrmWorld if name == "accounts" else None)
    write(name, history)
    until = max(load.at for load in history) + timedelta(minutes=5)
    settled_at = mornings(random, history, 3)[0].replace(microsecond=0)

    before = run(prepared, seen(history), settled_at)
    settle(before, name, prepared.text)
    after = run(prepared, seen(history), until)

    assert combined(name, until) == published(after, name)
    if name == "accounts":
        assert combined(name, until, "milestones_v1") == published(after, name, "milestones_v1")
    credit = f"FROM {name}_marts.fct_credit"
    with provisional(name, until) as new:  # those to compare too
        assert new.failures == () or all("money_priced" in each for each in new.failures)
        revised = new.connection.execute(f"FROM {new.revised}").fetchall()
        of_revised = f"{credit} WHERE conversion_id IN (FROM revised) ORDER BY ALL"
        after.execute("CREATE TABLE revised (conversion_id TEXT)")
        if revised:
            after.executemany("INSERT INTO revised VALUES (?)", revised)
        found = new.connection.execute(f"FROM {new.credit} ORDER BY ALL").fetchall()
        assert found == after.execute(of_revised).fetchall()


EVE = START + timedelta(hours=20)  # the evening before: the sessions, and deals 1 to 3
WEB = Load(
    EVE,
    "web",
    {
        "sessions": [
            session(1, "2026-08-30 12:00:00", visitor_id="laptop", customer_id="ann"),
            session(2, "2026-08-30 13:00:00", visitor_id="laptop", source="(direct)"),
            session(3, "2026-08-30 14:00:00", visitor_id="phone", medium="cpc"),
            session(4, "2026-08-30 15:00:00", customer_id="bob", campaign="spring"),
        ]
    },
)
CLOSED = "2026-08-31 18:00:00"
CRM = Load(
    EVE + timedelta(hours=1),
    "salesforce",
    {
        "opportunities": [
            deal(1, "ann", CLOSED),
            deal(2, "bob", CLOSED),
            deal(3, "bob", CLOSED) | {"is_won": "false", "closed_at": None},
        ]
    },
)
LOST = {"is_won": "false", "stage": "Closed Lost"}
# What comes after the night, and the conversions whose published rows change.
NEWS = {
    "won": (deal(3, "bob", CLOSED), {"deal-3"}),
    "reopened": (deal(1, "ann", CLOSED) | {"is_won": "false", "closed_at": None}, {"deal-1"}),
    "lost": (deal(1, "ann", CLOSED) | LOST, {"deal-1"}),
    "deleted": (deal(2, "bob", CLOSED) | {"is_deleted": True}, {"deal-2"}),
    "another's": (deal(1, "bob", CLOSED), {"deal-1"}),
    "amount": (deal(1, "ann", CLOSED) | {"amount": "0.01"}, {"deal-1"}),
    "date": (deal(2, "bob", "2026-08-30 14:30:00"), {"deal-2"}),
    "the same again": (deal(1, "ann", CLOSED), set()),
    "late session": (session(9, "2026-08-31 09:00:00", customer_id="bob"), {"deal-2"}),
    "identity": (
        session(9, "2026-08-30 15:00:00", visitor_id="phone", customer_id="ann"),
        {"deal-1"},
    ),
    "consent withdrawn": (
        session(4, "2026-08-30 15:00:00", customer_id="bob", campaign="spring")
        | {"consent": "false"},
        {"deal-2"},
    ),
    "a stranger's session": (session(9, "2026-08-31 09:00:00", customer_id="cem"), set()),
}


def loaded(row: dict, at: datetime) -> Load:
    """Return a load of one deal, or of one session."""
    if "session_id" in row:
        return Load(at, "web", {"sessions": [row]})
    return Load(at, "salesforce", {"opportunities": [row]})


@pytest.mark.parametrize("news", NEWS)
def test_what_changed_is_credited_anew_and_nothing_else(
    fresh: Callable[[str], Prepared], news: str
) -> None:
    prepared = fresh("deals")
    row, expected = NEWS[news]
    night, noon = START + timedelta(hours=22), START + DAY + timedelta(hours=12)
    history = [WEB, CRM, loaded(row, noon)]
    write("deals", history)
    settle(run(prepared, seen(history[:2]), night), "deals", prepared.text)
    until = noon + timedelta(minutes=1)

    with provisional("deals", until) as new:
        changed = new.connection.execute(f"FROM {new.changed}").fetchall()
        assert {conversion for (conversion,) in changed} == expected
        assert new.loaded_until == seen_from(noon)
        assert new.version == whole_versions("deals")[-1]

    assert combined("deals", until) == published(run(prepared, seen(history), until), "deals")


def test_a_load_that_came_while_the_run_was_at_work_is_not_lost(
    fresh: Callable[[str], Prepared],
) -> None:
    prepared = fresh("deals")
    late = loaded(
        session(9, "2026-08-31 09:00:00", customer_id="bob"), CRM.at - timedelta(seconds=50)
    )
    write("deals", [WEB, CRM, late])
    # the run had read the sessions when they were loaded, and the deals not yet
    settle(run(prepared, seen([WEB, CRM]), START + DAY), "deals", prepared.text)
    until = START + DAY
    everything = run(prepared, seen([WEB, late, CRM]), until)

    assert combined("deals", until) == published(everything, "deals")


def test_the_service_is_not_asked_and_its_kept_answer_is_taken(
    fresh: Callable[[str], Prepared],
) -> None:
    prepared = fresh("asks")
    settle(run(prepared, seen([WEB]), EVE + timedelta(hours=1)), "asks", prepared.text)
    write("asks", [WEB, CRM])
    until = START + DAY
    methods = "SELECT DISTINCT conversion_id, method FROM asks_publish.attribution_v1 ORDER BY ALL"

    with provisional("asks", until) as new:
        assert new.connection.execute(methods).fetchall() == [
            ("deal-1", "local: not asked for yet"),
            ("deal-2", "local: not asked for yet"),
        ]
        (digest, sessions) = new.connection.execute(
            "SELECT digest, sessions FROM journeys WHERE conversion_id = 'deal-2'"
        ).fetchone()
    value = {"conversion_id": "deal-2", "session_id": "session-4"}
    value |= {"initializer": 1, "holder": 1, "closer": 1, "ihc": 1}
    request_log.keep_answer(
        request_log.log_folder("asks"),
        "one",
        [Journey("deal-2", digest, sessions, "")],
        200,
        json.dumps({"statusCode": 200, "value": [value], "partialFailureErrors": []}),
    )

    with provisional("asks", until) as new:
        assert new.connection.execute(methods).fetchall() == [
            ("deal-1", "local: not asked for yet"),
            ("deal-2", "service"),
        ]


def test_rows_that_a_run_would_hold_are_told_as_it_tells_them(
    fresh: Callable[[str], Prepared],
) -> None:
    for name in ("deals", "asks"):
        prepared = fresh(name)
        settle(run(prepared, seen([WEB]), EVE + timedelta(minutes=10)), name, prepared.text)
    until = START + DAY
    abroad = CRM._replace(tables={"opportunities": [deal(1, "ann", CLOSED) | {"currency": "USD"}]})
    write("deals", [WEB, abroad])
    write("asks", [WEB, CRM])

    with provisional("deals", until) as new:
        assert new.failures == (
            "deals_marts.fct_credit: audit money_priced failed, 1 row(s), such as conversion_id = deal-1,"
            " original_currency = USD, remedy = deliver sources.rates, of the day or the seven before",
        )
    with provisional("asks", until) as new:
        (failure,) = new.failures
        assert failure.startswith(
            "asks_marts.faulty_weights: audit weights_are_numbers failed, 1 row(s), such as"
        )
        tampered = f"UPDATE {new.credit} SET credit = 2 WHERE model = 'ihc' AND position = 1"
        new.connection.execute(tampered)
        (sums, _) = judged(new.connection, "asks", models_loaded(prepared.text))
        assert sums.startswith("asks_marts.fct_credit: audit credit_sums_to_one failed, 2 row(s)")


def test_the_process_that_computes_does_not_know_sqlmesh() -> None:
    code = "import sys, pipelines.fastpath.computing; assert 'sqlmesh' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_a_version_without_models_is_refused_by_name(fresh: Callable[[str], Prepared]) -> None:
    prepared = fresh("deals")
    with provisional("deals") as new:
        assert new is None  # nothing is published yet
    write("deals", [WEB, CRM])
    before = run(prepared, seen([WEB, CRM]), START + DAY)
    settle(before, "deals", prepared.text)
    (version,) = whole_versions("deals")
    file = settled_of("deals") / version / NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    for text, why in {"{}": "another release wrote it", "": "Expecting value"}.items():
        file.write_text(text)
        with pytest.raises(
            FastPathError, match=f"deals: the models of the version {version} .*{why}"
        ):
            provisional("deals").__enter__()
    file.unlink()
    with pytest.raises(
        FastPathError, match=r"it was written without them\): make daily writes them"
    ):
        provisional("deals").__enter__()

    settle(before, "deals", prepared.text)  # the rows are the same, so the version is
    assert whole_versions("deals") == [version]
    assert models_text("deals", version) == prepared.text
