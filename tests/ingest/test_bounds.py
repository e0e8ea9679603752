"""What never ends, or grows without end, is ended by its own bound, and holds its client alone."""

import gzip
import multiprocessing
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.ingest import run as ingesting
from pipelines.ingest.run import ingest
from pipelines.processes import Bounds, Exceeded, Pool, heard
from pipelines.settings.reader import read
from pipelines.sources.files import unpacking
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import PROJECT, House

ENDLESS = """CREATE VIEW spend AS WITH RECURSIVE days(day) AS (
  SELECT 1 UNION ALL SELECT day + 1 FROM days
) SELECT '2026-10-01' AS spend_date, 'c' || day AS campaign_id, 'Brand' AS campaign, '1' AS cost,
'1' AS clicks, '1' AS impressions FROM days WHERE day < 0"""


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """One client in a house of its own."""
    (tmp_path / "clients").mkdir()
    House(tmp_path).enter()
    return Tenant(tmp_path)


def test_an_ingest_without_end_is_ended_and_named(tenant: Tenant) -> None:
    with sqlite3.connect(tenant.exports / "spend.sqlite") as file:
        file.execute(ENDLESS)
    tenant.settings.write_text(tenant.settings.read_text() + "limits: {minutes: 0.03}\n")

    (outcomes,) = ingest(read()[0])

    outcome = next(each for each in outcomes if each.source == "google_ads")
    assert outcome.status.code == "failed"
    assert "google_ads did not end within 0.03 minutes" in outcome.problem
    paste(tenant.settings, outcome.problem)
    assert "limits: {minutes: 0.06}" in tenant.settings.read_text()
    assert not (tenant.home / "lake/one/_pipelines/google_ads.scratch").exists()
    assert multiprocessing.active_children() == []


def _grow(megabytes: int) -> int:
    held = []
    for _ in range(megabytes):
        held.append(os.urandom(1_000_000))
        time.sleep(0.01)
    return len(held)


def test_a_process_that_takes_too_much_memory_is_ended() -> None:
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    pool = Pool(_grow, [1, 3_000], lambda work: Bounds(megabytes=here * 1.1 + 300))
    answers = {}
    while running := pool.running():
        for process in heard(running):
            if done := pool.answer(process):
                answers[done[0]] = done[1]
    assert answers == {1: 1, 3_000: Exceeded.MEMORY}


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys, time; from pipelines.processes import Process;"
        "Process(lambda talk: (pathlib.Path(sys.argv[1]).write_text(str(os.getpid())), time.sleep(600)));"
        "time.sleep(600)"
    )
    said = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", script, str(said)], cwd=PROJECT)
    while not (said.exists() and said.read_text()):
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    child = int(said.read_text())
    while Path(f"/proc/{child}").exists() and "Z" not in _state(child):
        time.sleep(0.05)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2]
    except OSError:
        return "Z"


def test_a_file_that_unpacks_to_a_bomb_is_refused(tenant: Tenant) -> None:
    tenant.deliver("spend.csv.gz", gzip.compress(b" " * 120_000_000, 9))
    problem = tenant.ingest().problem
    assert "spend.csv.gz: unpacked it is more than 250 times as large" in problem


def test_a_file_that_unpacks_beyond_its_limit_is_read_once_that_is_raised(tenant: Tenant) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text + "limits: {unpacked_mb: 1}\n")
    plain = tenant.spend("spend.csv", *(f"01,c{number},{number}" for number in range(50_000)))
    tenant.deliver("spend.csv.gz", gzip.compress(plain.read_bytes(), 1))
    plain.unlink()

    problem = tenant.ingest().problem

    assert "larger than 1 MB; deliver it in parts, or raise the limit" in problem
    paste(tenant.settings, problem)
    assert tenant.ingest().counts.appended == 50_000


def test_a_status_that_cannot_be_kept_is_said(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.spend("spend.csv", "01,a,1")

    def full(status: object) -> None:
        raise OSError(28, "No space left on device", "/lake/status.json")

    monkeypatch.setattr(ingesting, "write", full)
    outcome = tenant.ingest()

    assert not outcome.is_kept and outcome.status.holds
    assert outcome.problem == ("no space left for /lake/status.json: free some, and run it again")


@pytest.fixture(params=["a small disk", "a small limit on a file's size"])
def full_disk(request: pytest.FixtureRequest, house: House) -> Iterator[list[str]]:
    """What to put before a command so that its lake is full: a disk is made where that is allowed."""
    lake = house.home / "lake"
    lake.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=140k", "tmpfs", str(lake)]
    is_disk = request.param == "a small disk" and not subprocess.call(mount)
    yield [] if is_disk else ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"]
    if is_disk:
        subprocess.run(["umount", str(lake)], check=True)


def test_a_full_disk_is_said_in_a_line_and_loses_nothing(
    house: House, full_disk: list[str]
) -> None:
    for name in ("acme", "borealis", "cobalt"):
        (house.home / f"clients/{name}.yaml").unlink()
    house.export(sessions=100)

    done = house.run(*full_disk, sys.executable, "-m", "pipelines", "ingest")

    assert done.returncode == 0 and "Traceback" not in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("shop: ")]
    assert line.startswith("shop: web is halted: ") and line.endswith(" and run it again")
    assert str(house.home / "lake") in line or f"below {house.home}" in line
    if full_disk:  # the disk has room again
        ((outcome,),) = ingest(read()[0])
        assert outcome.counts.appended and not outcome.problem


def test_a_file_of_few_bytes_and_many_rows_is_refused(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_FEW_ROWS", 1_000)
    names = ("spend_date", "campaign_id", "campaign", "cost", "clicks", "impressions")
    same = ", ".join(f"'2026' AS {name}" for name in names)
    file = tenant.exports / "spend.parquet"
    duckdb.execute(f"COPY (SELECT {same} FROM range(200000)) TO '{file}' (FORMAT parquet)")
    problem = tenant.ingest().problem
    assert (
        "it holds 200,000 rows in " in problem and "as no export does whose rows differ" in problem
    )


def test_a_file_that_says_how_large_it_is_unpacked_is_refused(tenant: Tenant) -> None:
    House(tenant.home).change("one", limits={"unpacked_mb": 1})
    file = tenant.exports / "spend.parquet"
    query = "SELECT md5(i::TEXT) AS spend_date FROM range(100000) AS numbers(i)"
    duckdb.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
    assert "`unpacked_mb: 4`" in tenant.ingest().problem
