"""Measure how soon a deal's credit is published: `python benchmarks/fast_path.py --clients 50`.

Each client has a CRM and an event bus of its own, local servers, and a first morning behind it; then
`make stream` follows them all. Seconds are from the change in the CRM until whoever opens
`published/<client>.duckdb` reads the deal's new amount.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, NamedTuple

import duckdb
import typer
import yaml
from rich.console import Console
from rich.table import Table

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


def main(
    clients: Annotated[int, typer.Option(help="Clients that are followed.")] = 1,
    sessions: Annotated[int, typer.Option(help="Sessions a client has.")] = 400,
    deals: Annotated[int, typer.Option(help="Deals that are closed one by one.")] = 20,
    burst: Annotated[int, typer.Option(help="Deals that are closed at once.")] = 2000,
    idle: Annotated[float, typer.Option(help="Seconds to measure what waiting costs.")] = 60,
    mornings: Annotated[bool, typer.Option(help="Measure beside `make daily`, too.")] = True,
) -> None:
    """Print seconds from event to published credit, idle and beside `make daily`, of a burst, and what waiting costs."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["ATTRIBUTION_HOME"] = str(home)
        _run("demo", "--copies", clients, "--sessions", sessions)
        orgs = [stack.enter_context(_org(file)) for file in sorted(home.glob("clients/*.yaml"))]
        for org in orgs:
            org.close(1, 100)
        _run("pipelines", "ingest")
        _backdate(home)
        _run("pipelines", "daily")
        table = Table("measured", "value")
        alone = _morning(clients, sessions, day=1) if mornings else []
        with _stream() as process:
            for org in orgs:  # each is followed, and its works have begun once
                _seconds(home, org, 2, 200)
            for name, value in _waiting(process, idle).items() if idle else ():
                table.add_row(f"waiting: {name}", value)
            table.add_row("a deal, idle", _told(_one_by_one(home, orgs, deals)))
            if mornings:
                with _beside(clients, sessions, day=2) as beside:
                    found = _one_by_one(home, orgs, deals)
                table.add_row("a deal, beside make daily", _told(found))
                table.add_row("make daily, alone", _of_a_run(alone))
                table.add_row("make daily, beside deals", _of_a_run(beside))
            table.add_row(f"{burst} deals at once", f"{_burst(home, orgs[0], burst):.1f} s")
        Console().print(f"{clients} clients, {sessions} sessions each", table)


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
def _stream() -> Iterator[subprocess.Popen]:
    process = _start("pipelines", "stream")
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def _beside(clients: int, sessions: int, day: int) -> Iterator[list[float]]:
    """Run a morning beside what is done here; then there is how many seconds it took, and of CPU."""
    _run("demo", "--copies", clients, "--sessions", sessions, "--day", day, "--clients-folder", "x")
    began, seconds = time.monotonic(), list[float]()
    process = _start("pipelines", "daily")
    yield seconds
    _, process.returncode, used = os.wait4(process.pid, 0)
    assert process.returncode == 0
    seconds += [time.monotonic() - began, used.ru_utime + used.ru_stime]


def _morning(clients: int, sessions: int, day: int) -> list[float]:
    """Return how many seconds a morning takes that has a day's data, and of CPU."""
    with _beside(clients, sessions, day) as seconds:
        pass
    return seconds


def _of_a_run(seconds: list[float]) -> str:
    return f"{seconds[0]:.1f} s, {seconds[1]:.1f} s of CPU"


def _one_by_one(home: Path, orgs: list[Org], count: int) -> list[float]:
    """Return the seconds of deals of the clients in turn, each closed once the one before is published."""
    return [
        _seconds(home, orgs[number % len(orgs)], 3 + number // len(orgs), 300 + time.time() % 1e4)
        for number in range(count)
    ]


def _seconds(home: Path, org: Org, number: int, amount: float) -> float:
    amount = round(amount, 2)
    began = time.monotonic()
    org.close(number, amount)
    _wait(home, org, f"conversion_id = '006{number:012}AAA' AND revenue = {amount}", 1)
    return time.monotonic() - began


def _burst(home: Path, org: Org, count: int) -> float:
    """Return the seconds until all deals are published that were closed at once."""
    began = time.monotonic()
    for number in range(count):
        org.close(1_000_000 + number, 77)
    _wait(home, org, "conversion_id LIKE '00600000100%' AND revenue = 77", count)
    return time.monotonic() - began


def _wait(home: Path, org: Org, condition: str, count: int) -> None:
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


def _waiting(process: subprocess.Popen, seconds: float) -> dict[str, str]:
    """Return what a process and its children take while nothing happens."""
    _settle(process)
    before = _cpu(process)
    time.sleep(seconds)
    share = 100 * (_cpu(process) - before) / seconds
    mebibytes = sum(_kibibytes(each) for each in _family(process.pid)) / 1024
    return {"of a core": f"{share:.2f} %", "memory": f"{mebibytes:.0f} MiB"}


def _settle(process: subprocess.Popen) -> None:
    """Wait until the process that works has ended, which it does when there was nothing to do for a while."""
    until = time.monotonic() + 90
    while len(_family(process.pid)) > 2 and time.monotonic() < until:
        time.sleep(1)


def _family(pid: int) -> list[int]:
    """Return a process and all that it has started, as the kernel knows them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(process: subprocess.Popen) -> float:
    """Return the CPU seconds of a process and those it has started, ended ones among them."""
    ticks = 0
    for pid in _family(process.pid):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _kibibytes(pid: int) -> int:
    """Return the memory of a process, what it shares with others in part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _told(seconds: list[float]) -> str:
    worst = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"p50 {statistics.median(seconds):.1f} s, p95 {worst:.1f} s"


def _run(*command: object) -> None:
    process = _start(*command)
    assert process.wait() == 0, command


def _start(*command: object) -> subprocess.Popen:
    line = [sys.executable, "-m", *map(str, command)]
    return subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    typer.run(main)
