"""A house to test in: the project's code, with data of its own."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
import time_machine
import yaml
from hypothesis import HealthCheck, settings

from demo import write_exports
from pipelines.ingest.run import Outcome, ingest_client
from pipelines.published.staleness import follow_home
from pipelines.serving.morning import serve
from pipelines.serving.report import Report
from pipelines.settings.client import Client
from pipelines.settings.reader import read
from pipelines.sources import credentials, rest
from pipelines.sources.platforms import facebook_ads
from tests.builders.checkout import PROJECT

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def slow(*values: object) -> list:
    """Return values of a parameter that only `make ci` tries."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def pytest_xdist_auto_num_workers() -> int:
    """Return how many tests run at once: one more than cores, as each waits a fifth of its time."""
    return (os.cpu_count() or 1) + 1


class House:
    """The data's home of one test: clients, exports, lake and warehouse in a folder."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def enter(self) -> "House":
        """Make the code in this process work on this home."""
        os.environ["ATTRIBUTION_HOME"] = str(self.home)
        os.environ["SHARD"] = "home"
        return self

    def client(self, name: str) -> Client:
        """Return one client's settings."""
        return next(client for client in read()[0] if client.id == name)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a client's file as an operator would."""
        file = self.home / "clients" / f"{name}.yaml"
        text = file.read_text()
        assert old in text, f"{old!r} is not in {file}"
        file.write_text(text.replace(old, new))

    def change(self, name: str, **settings: Any) -> None:
        """Set keys of a client's file: `change("acme", attribution={"lookback_days": 31})`."""
        file = self.home / "clients" / f"{name}.yaml"
        file.write_text(yaml.safe_dump(_merged(yaml.safe_load(file.read_text()), settings)))

    def export(self, day: int = 0, sessions: int = 100) -> None:
        """Write the demo exports as they lie there on a day."""
        write_exports(self.home / "exports", day, sessions, [client.id for client in read()[0]])

    def backdate(self, days: int) -> None:
        """Make every load so far one of some days ago: its days are over, and stay as computed."""
        for marker in (self.home / "lake").rglob("_dlt_loads/*.jsonl"):
            load = json.loads(marker.read_text())
            moment = datetime.fromisoformat(load["inserted_at"]) - timedelta(days=days)
            marker.write_text(json.dumps(load | {"inserted_at": moment.isoformat()}))

    def ingest(self) -> dict[tuple[str, str], Outcome]:
        """Ingest every client in this process; return the outcomes by client and source."""
        done = [outcome for client in read()[0] for outcome in ingest_client(client)]
        return {(outcome.client, outcome.source): outcome for outcome in done}

    def serve(self) -> dict[str, Report]:
        """Serve the morning in this process; return the reports by client."""
        return {report.client: report for report in serve(read()[0])}

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command as typed in the project's root; return its output and status."""
        return subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pipelines(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run `python -m pipelines`."""
        return self.run(sys.executable, "-m", "pipelines", *arguments)

    def sqlmesh(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run `sqlmesh`."""
        return self.run(str(Path(sys.executable).parent / "sqlmesh"), *arguments)

    def rows(self, query: str, shard: str = "home") -> list[tuple]:
        """Return the rows of a query on the warehouse."""
        with duckdb.connect(
            str(self.home / f"warehouse/{shard}.duckdb"), read_only=True
        ) as warehouse:
            return warehouse.execute(query).fetchall()

    def tamper(self, view: str, statement: str) -> None:
        """Change the table behind a view, as no code of ours would: `{table}` is its name."""
        with duckdb.connect(str(self.home / "warehouse/home.duckdb")) as warehouse:
            schema, name = view.split(".")
            (sql,) = warehouse.execute(
                "SELECT sql FROM duckdb_views() WHERE schema_name = ? AND view_name = ?",
                [schema, name],
            ).fetchone()
            table = re.search(r"FROM (\S+?);?$", sql.strip()).group(1)
            warehouse.execute(statement.format(table=table))

    def published(self, client: str, environment: str = "") -> dict[str, list[tuple]]:
        """Return all published rows of a client, by table."""
        schema = f"{client}_publish{environment and '__' + environment}"
        tables = self.rows(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
        )
        return {
            table: self.rows(f"FROM {schema}.{table} ORDER BY ALL") for (table,) in sorted(tables)
        }

    def files(self, client: str) -> dict[str, list[tuple]]:
        """Return all rows of a client's published files, by table, as outsiders read them."""
        with duckdb.connect() as reader:
            reader.execute(f"ATTACH '{self.home}/published/{client}.duckdb' AS files (READ_ONLY)")
            tables = reader.execute(
                "SELECT view_name FROM duckdb_views() WHERE schema_name = ? ORDER BY ALL",
                [f"{client}_publish"],
            ).fetchall()
            return {
                table: reader.execute(
                    f"FROM files.{client}_publish.{table} ORDER BY ALL"
                ).fetchall()
                for (table,) in tables
            }


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test conceal what was secret in another."""
    monkeypatch.setattr(credentials, "_secrets", set())


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house with the demo clients' settings."""
    return _furnished(tmp_path / "house")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Let what waits for a platform move the clock instead; return the seconds of each wait.

    So patience is as long as a client's file says, however busy the machine is.
    """
    waited: list[float] = []
    with time_machine.travel(datetime.now(timezone.utc), tick=True) as clock:

        def wait(seconds: float) -> None:
            waited.append(seconds)
            clock.shift(seconds)

        for module in (rest, facebook_ads):
            monkeypatch.setattr(module, "sleep", wait)
        yield waited


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home in which one morning was served, built once for all of xdist's workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "served.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "served").exists():
            _serve_a_morning(shared / "served.unfinished")
            (shared / "served.unfinished").rename(shared / "served")
    return House(shared / "served").enter()


def _serve_a_morning(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    house = _furnished(home)
    house.export()
    house.ingest()
    house.backdate(days=2)
    assert {report.result for report in house.serve().values()} == {"published"}


@pytest.fixture
def served(_served: House, tmp_path: Path) -> House:
    """A house in which one morning was served: a copy, to break at will."""
    shutil.copytree(_served.home, tmp_path / "house")
    house = House(tmp_path / "house").enter()
    for client in read()[0]:
        follow_home(client.id)
    return house


def _merged(old: dict, new: dict) -> dict:
    """Return settings with others in their place, key by key."""
    both = {key: _merged(old.get(key) or {}, new[key]) for key in new if isinstance(new[key], dict)}
    return old | new | both


def _furnished(home: Path) -> House:
    (home / "clients").mkdir(parents=True)
    for name in ("acme", "borealis", "cobalt", "shop"):
        shutil.copy(PROJECT / "clients" / f"{name}.yaml", home / "clients")
    return House(home).enter()
