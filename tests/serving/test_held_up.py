"""Nobody waits for another: for an ingest without end, a reader, a second command, a torn warehouse."""

import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines import processes
from pipelines.ledger.recording import Step
from pipelines.serving import memory
from pipelines.serving.morning import Ingested, morning
from pipelines.serving.report import Report
from pipelines.serving.shard_run import ShardRun
from pipelines.serving.turn import DAILY, NotOurTurn, turn
from pipelines.settings.reader import read
from tests.conftest import PROJECT, House

pytestmark = pytest.mark.xdist_group("morning")  # its houses are furnished once

CLIENTS = ("acme", "borealis", "cobalt", "shop")
ENDLESS = """CREATE VIEW sessions AS WITH RECURSIVE days(day) AS (
  SELECT 1 UNION ALL SELECT day + 1 FROM days
) SELECT 's' AS session_id, 'c' AS client_id, '2026-10-01 10:00:00' AS started_at
FROM days WHERE day < 0"""
READER = (
    "import duckdb, sys, time; held = duckdb.connect(sys.argv[1], read_only=True);"
    "print('open', flush=True); time.sleep(600)"
)


def far_deadline(zone: str = "UTC") -> str:
    """Return a deadline that no test comes near to, as a time of day in a time zone."""
    return f"{datetime.now(ZoneInfo(zone)) + timedelta(hours=12):%H:%M}"


def reader(house: House) -> subprocess.Popen:
    """Start a process that holds the warehouse file open."""
    file = str(house.home / "warehouse/home.duckdb")
    process = subprocess.Popen(
        [sys.executable, "-c", READER, file], stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert process.stdout and process.stdout.readline() == b"open\n"
    return process


@pytest.mark.slow
def test_an_ingest_without_end_holds_up_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("acme", "borealis", "cobalt"):
        (house.home / f"clients/{name}.yaml").unlink()
    house.export(sessions=30)
    (house.home / "exports/loop").mkdir()
    with sqlite3.connect(house.home / "exports/loop/web.sqlite") as file:
        file.execute(ENDLESS)
    (house.home / "clients/loop.yaml").write_text(
        f"name: Loop\ncurrency: EUR\ndeadline: '{far_deadline()}'\nlimits: {{minutes: 600}}\n"
        "sources: {web: {sessions: {files: exports/loop/web.sqlite, table: sessions}}}\n"
    )
    now, later = processes.monotonic, [0]
    monkeypatch.setattr(processes, "monotonic", lambda: now() + later[0])

    events = []
    for event in morning(read()[0]):
        events.append(event)
        if isinstance(event, Report) and event.client == "shop":
            assert house.published("shop")["attribution_v1"]  # while the other still runs
            later[0] = 100_000

    events = [each for each in events if not isinstance(each, Step)]
    kinds = [each.client if isinstance(each, Report) else type(each) for each in events]
    assert kinds == [Ingested, "shop", Ingested, "loop"]
    assert [each.result for each in events if isinstance(each, Report)] == ["published", "held"]
    assert "web did not end within 600 minutes" in events[-1].reasons[0]


def test_a_reader_is_named_in_a_line(served: House) -> None:
    before = served.serve()["acme"].published
    for name in CLIENTS:
        deadline = far_deadline(served.client(name).timezone)
        served.change(name, deadline=deadline, patience_minutes=0)
    holder = reader(served)
    reports = served.serve()
    holder.kill()

    (line,) = {reason for report in reports.values() for reason in report.reasons}
    assert line.startswith(f"warehouse/home.duckdb is open in process {holder.pid} (python")
    assert line.endswith(": close it, and run it again")
    assert {report.result for report in reports.values()} == {"held"}
    assert reports["acme"].published == before


@pytest.mark.slow
def test_a_reader_is_waited_for(served: House) -> None:
    served.export(day=1)
    served.ingest()
    holder, told = reader(served), []

    def tell(line: str) -> None:
        told.append(line)
        holder.kill()
        holder.wait()

    report = ShardRun("home", tell).serve(served.client("shop"))

    assert report.result == "published"
    (line,) = told
    assert f"is open in process {holder.pid}" in line and "waiting for it until" in line


def test_a_second_daily_says_who_runs_and_others_wait(served: House) -> None:
    with turn(DAILY):
        second = served.pipelines("daily")
        promoted = served.pipelines("promote", "acme")

    assert second.returncode == 0
    assert "make daily is running since" in second.stdout and "in process" in second.stdout
    assert promoted.returncode == 1
    assert "try again when it has ended" in promoted.stdout
    assert len((second.stdout + promoted.stdout).splitlines()) == 2


def test_the_turn_of_a_killed_command_is_free(served: House) -> None:
    script = (
        "import time; from pipelines.serving.turn import turn;"
        "taken = turn('make daily'); taken.__enter__(); print('taken', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=PROJECT)
    assert process.stdout and process.stdout.readline() == b"taken\n"
    with pytest.raises(NotOurTurn, match=f"in process {process.pid}"), turn(DAILY):
        pass
    process.kill()
    process.wait()
    with turn(DAILY):
        pass


def test_nothing_new_is_said_of_the_very_file_alone(served: House, tmp_path: Path) -> None:
    client, file = served.client("shop"), served.home / "warehouse/home.duckdb"
    state = memory.state(client)
    assert memory.recall(client, state)
    whole = file.read_bytes()
    for content in (bytes(4096) + whole[4096:], whole[:-1], whole):
        (tmp_path / "other").write_bytes(content)
        (tmp_path / "other").replace(file)  # as a backup is put back
        assert memory.recall(client, state) is None


@pytest.mark.slow
def test_an_old_warehouse_is_brought_up_to_date(served: House, tmp_path: Path) -> None:
    file = served.home / "warehouse/home.duckdb"
    shutil.copy2(file, tmp_path / "yesterday")
    served.export(day=1)
    served.ingest()
    served.serve()
    after = {client: served.published(client) for client in CLIENTS}
    shutil.copy2(tmp_path / "yesterday", file)

    reports = served.serve()

    assert {report.result for report in reports.values()} == {"published"}
    for client in CLIENTS:
        assert served.published(client) == after[client] == served.files(client)


@pytest.mark.slow
def test_a_torn_warehouse_is_built_again_but_no_draft_goes_live(served: House) -> None:
    before = {client: served.published(client) for client in CLIENTS}
    with (served.home / "warehouse/home.duckdb").open("r+b") as file:
        file.write(bytes(4096))
    served.edit("acme", "model: position_based", "model: last_touch")

    reports = served.serve()

    assert {client: report.result for client, report in reports.items()} == {
        "acme": "held",
        "borealis": "published",
        "cobalt": "published",
        "shop": "published",
    }
    assert "make promote CLIENT=acme" in reports["acme"].reasons[0]
    for client in CLIENTS[1:]:
        now = served.published(client)
        assert {**now, "freshness_v1": 0} == {**before[client], "freshness_v1": 0}
        assert served.files(client) == now
    assert served.files("acme") == before["acme"]
    assert list((served.home / "warehouse").glob("home.duckdb.torn-*"))


def test_a_promotion_goes_on_past_warehouses_that_cannot_be_used(house: House) -> None:
    for name in ("acme", "borealis"):
        house.change(name, shard=name)
        (house.home / "warehouse").mkdir(exist_ok=True)
        (house.home / f"warehouse/{name}.duckdb").write_bytes(b"torn" * 5000)
    for name in ("cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()

    promoted = house.pipelines("promote")

    assert promoted.returncode == 1
    for name in ("acme", "borealis"):
        assert f"{name}: not promoted, it keeps what it had" in promoted.stdout
        assert f"warehouse/{name}.duckdb is torn" in promoted.stdout
