"""Credit of what changed since the last run, without the warehouse: the rows that the next run will publish."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from demo.servers.http_server import Status
from demo.servers.ihc_server import IhcServer
from pipelines.fastpath.computing import FastPathError, provisional
from pipelines.fastpath.judging import failures as judged
from pipelines.fastpath.publishing import publish_provisional
from pipelines.fastpath.rendered_models import loaded as models_loaded
from pipelines.home import lake_folder
from pipelines.ihc import request_log
from pipelines.ihc.asking_bounds import Bounds
from pipelines.ihc.packing import Journey
from pipelines.lake.append import alone
from pipelines.lake.loads import seen_from
from pipelines.published.models_file import NAME, models_text
from pipelines.published.opening import published as files
from pipelines.published.version_folders import settled_of, whole_versions
from tests.builders.crm_writer import CrmWorld
from tests.builders.histories import DAY, deal, mornings, session
from tests.builders.lake_writer import START, Load, invent
from tests.builders.prepared_clients import (
    CLOSED,
    CRM,
    EVE,
    WEB,
    Prepared,
    loaded,
    run,
    seen,
    write,
)
from tests.builders.settling import settle
from tests.conftest import PROJECT

pytestmark = pytest.mark.xdist_group("fast_path")  # its models are rendered once

CREDIT = "attribution_v1"
# What is said of provisional rows alone, and what stays as the last run left it, as how new the loads are
# where none changed a number.
BUT = """('is_provisional', 'provisional_since', 'provisional_conversions', 'sessions_without_consent',
'newest_days', 'partial_without', 'loaded_until')"""
ADS = {"google_ads", "facebook_ads"}


def combined(name: str, until: datetime, table: str = CREDIT) -> list[tuple]:
    """Return what a reader has who takes the settled rows, and the provisional ones in their place."""
    with provisional(name, until) as new:
        assert new
        return rows(new.connection, new.rows(table))


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    """Return a published table's rows, but for what only a provisional one can say."""
    return connection.execute(
        f"SELECT COLUMNS(name -> NOT name IN {BUT}) FROM {table} ORDER BY ALL"
    ).fetchall()


def without_new_spend(history: list[Load], settled_at: datetime) -> list[Load]:
    """Return a history without the loads of spend that came after a run: those wait for the next one."""
    return [load for load in history if load.source not in ADS or seen_from(load.at) < settled_at]


def published(warehouse: duckdb.DuckDBPyConnection, name: str, table: str = CREDIT) -> list[tuple]:
    """Return what the batch publishes."""
    return rows(warehouse, f"{name}_publish.{table}")


@given(
    seed=strategies.integers(0, 2**32), name=strategies.sampled_from(["deals", "shop", "accounts"])
)
@hypothesis_settings(
    max_examples=9,
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
    until = max(load.at for load in history) + timedelta(minutes=5)
    settled_at = mornings(random, history, 3)[0].replace(microsecond=0)

    before = run(prepared, seen(history), settled_at)
    settle(before, name, prepared.text)
    some = random.randrange(len(history))
    write(name, history[:some])
    publish_provisional(prepared.client)
    write(name, history[some:])
    after = run(prepared, seen(without_new_spend(history, settled_at)), until)

    tables = [each for each in prepared.models.queries if each.startswith("publish.")]
    with provisional(name, until) as new:
        for table in [each.removeprefix("publish.") for each in tables]:
            found = rows(new.connection, new.rows(table))
            assert found == published(after, name, table), table
        assert all("money_priced" in each for each in new.failures)
        of_all = f"FROM {name}_marts.fct_credit ORDER BY ALL"  # that to compare too
        found = new.connection.execute(of_all).fetchall()
        assert found == after.execute(of_all).fetchall()

    settle(after, name, prepared.text)
    assert publish_provisional(prepared.client).conversions == 0
    with files(name) as shown:
        for table in tables:
            whole = f"FROM {name}_{table} ORDER BY ALL"
            assert shown.execute(whole).fetchall() == after.execute(whole).fetchall(), table


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
        changed = new.connection.execute(f"SELECT conversion_id FROM {new.changed}").fetchall()
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
            ("deal-1", "local: no answer yet"),
            ("deal-2", "local: no answer yet"),
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
            ("deal-1", "local: no answer yet"),
            ("deal-2", "service"),
        ]


def test_the_service_is_asked_within_bounds_and_the_local_model_stands_in(
    fresh: Callable[[str], Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = fresh("asks")
    file = lake_folder().parent / "clients/asks.yaml"
    methods = "SELECT DISTINCT method FROM asks_publish.attribution_v1"
    with IhcServer() as server:
        monkeypatch.setenv("CLIENTS__ASKS__IHC__API_KEY", server.key)
        text = prepared.text.replace("http://localhost:9", server.base_url)
        settle(run(prepared, seen([WEB]), EVE + timedelta(hours=1)), "asks", text)
        write("asks", [WEB, CRM])

        def found(bounds: Bounds) -> list[tuple]:
            with provisional("asks", START + DAY, bounds) as new:
                return new.connection.execute(methods).fetchall()

        local = [("local: no answer yet",)]
        assert found(Bounds(minutes=0)) == local  # no second is left
        kept = file.read_text()
        file.write_text(kept.replace("by: service,", "by: service, calls_per_month: 1,"))
        assert found(Bounds(minutes=1, quota=0.5)) == local  # the runs may need that request
        file.write_text(kept)
        with alone("asks", "ihc"):  # as where a run asks
            assert found(Bounds(minutes=1)) == local
        assert server.requests == []
        server.fail(Status(403))
        assert found(Bounds(minutes=1)) == local
        assert found(Bounds(minutes=1)) == [("service",)]
        paid = len(server.requests)
        assert found(Bounds(minutes=1)) == [("service",)] and len(server.requests) == paid == 2


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
            "deals_marts.gate: audit money_priced failed, 1 row(s), such as client = deals,"
            " unpriced = USD on 2026-08-31, remedy = deliver sources.rates, of the day or the seven before",
        )
    with provisional("asks", until) as new:
        (failure,) = new.failures
        assert failure.startswith(
            "asks_marts.gate: audit weights_are_numbers failed, 1 row(s), such as"
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
            FastPathError, match=f"deals: .*cannot run the models of {version}: {why}"
        ):
            provisional("deals").__enter__()
    file.unlink()
    with pytest.raises(FastPathError, match="it was written without them: make daily writes them"):
        provisional("deals").__enter__()

    settle(before, "deals", prepared.text)  # the rows are the same, so the version is
    assert whole_versions("deals") == [version]
    assert models_text("deals", version) == prepared.text
