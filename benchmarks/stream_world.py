"""Clients with CRMs of their own, for benchmarks of the stream: local servers, one first morning."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import duckdb
import yaml

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))  # a script finds the modules beside it alone

from demo.servers.event_bus import EventBus  # noqa: E402
from demo.servers.salesforce_server import SalesforceServer  # noqa: E402

PATIENCE = 600.0  # seconds until a deal that is not published is given up
LOOK = 0.02  # seconds between two looks at the published file


class Org(NamedTuple):
    """A client with its CRM, and people of its site who may buy."""

    client: str
    server: SalesforceServer
    bus: EventBus
    customers: list[str]

    def close(self, number: int, amount: float) -> None:
        """Close a deal, or give it another amount, and tell so by an event."""
        now = datetime.now(timezone.utc)
        closed_at = datetime(2026, 10, 28, 12, tzinfo=timezone.utc) + timedelta(seconds=number)
        id_ = f"006{number:012}AAA"
        deal = {
            "Id": id_,
            "IsDeleted": False,
            "AccountId": self.customers[number % len(self.customers)],
            "StageName": "Closed Won",
            "IsWon": True,
            "Amount": amount,
            "LastStageChangeDate": closed_at,
            "CreatedDate": closed_at,
            "SystemModstamp": now,
        }
        records = self.server.objects["Opportunity"]
        known = next((each for each in records if each["Id"] == id_), None)
        if known:
            known |= deal
        else:
            records.append(deal)
        self.bus.publish("Opportunity", id_)


@contextmanager
def followed(clients: int, sessions: int) -> Iterator[tuple[Path, list[Org]]]:
    """Yield a home, and clients with a first morning behind them; nobody follows them yet."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["ATTRIBUTION_HOME"] = str(home)
        run("demo", "--copies", clients, "--sessions", sessions)
        orgs = [stack.enter_context(_org(file)) for file in sorted(home.glob("clients/*.yaml"))]
        for org in orgs:
            org.close(1, 100)
        run("pipelines", "ingest")
        _backdate(home)
        run("pipelines", "daily")
        yield home, orgs


def _backdate(home: Path) -> None:
    """Make the loads so far days old, the CRM's the newest: what came just before that is computed again."""
    for marker in home.glob("lake/*/*/_dlt_loads/*.jsonl"):
        load = json.loads(marker.read_text())
        days = 2 if marker.parents[1].name == "salesforce" else 3
        moment = datetime.fromisoformat(load["inserted_at"]) - timedelta(days=days)
        marker.write_text(json.dumps(load | {"inserted_at": moment.isoformat()}))


@contextmanager
def _org(file: Path) -> Iterator[Org]:
    """Give a client a CRM of its own in place of its export."""
    with SalesforceServer() as server, EventBus(server) as bus:
        settings = yaml.safe_load(file.read_text())
        exports = file.parents[1] / settings["sources"]["web"]["sessions"]["files"]
        people = f"""SELECT DISTINCT user_id FROM read_csv('{exports}', all_varchar := true)
        WHERE user_id LIKE 'customer-%' ORDER BY ALL LIMIT 5000"""
        customers = [name for (name,) in duckdb.execute(people).fetchall()]
        stream = {"bus": bus.address}
        api = {"base_url": server.url, "tables": ["opportunities"], "stream": stream}
        settings["sources"]["salesforce"] = {"api": api}
        file.write_text(yaml.safe_dump(settings))
        for key, value in server.credentials.items():
            os.environ[f"CLIENTS__{file.stem}__SALESFORCE__{key}".upper()] = value
        yield Org(file.stem, server, bus, customers)


@contextmanager
def stream() -> Iterator[subprocess.Popen]:
    """Follow all clients meanwhile."""
    process = start("pipelines", "stream")
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def seconds(home: Path, org: Org, number: int, amount: float) -> float:
    """Return how many seconds after a deal was closed it is published."""
    amount = round(amount, 2)
    began = time.monotonic()
    org.close(number, amount)
    wait(home, org, f"conversion_id = '006{number:012}AAA' AND revenue = {amount}", 1)
    return time.monotonic() - began


def wait(home: Path, org: Org, condition: str, count: int) -> None:
    """Wait until that many conversions are published."""
    file, seen, until = home / f"published/{org.client}.duckdb", 0, time.monotonic() + PATIENCE
    query = f"SELECT COUNT(DISTINCT conversion_id) FROM shown.{org.client}_publish.attribution_v1"
    while time.monotonic() < until:
        if (inode := file.stat().st_ino) != seen:
            seen = inode
            with duckdb.connect() as reader:
                reader.execute(f"ATTACH '{file}' AS shown (READ_ONLY)")
                ((found,),) = reader.execute(f"{query} WHERE {condition}").fetchall()
            if found == count:
                return
        time.sleep(LOOK)
    raise TimeoutError(f"{org.client}: {condition} is not published after {PATIENCE:.0f} seconds")


def run(*command: object) -> None:
    """Run a module to its end, such as `demo --copies 2`."""
    process = start(*command)
    assert process.wait() == 0, command


def start(*command: object) -> subprocess.Popen:
    """Start a module."""
    line = [sys.executable, "-m", *map(str, command)]
    return subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.DEVNULL)
