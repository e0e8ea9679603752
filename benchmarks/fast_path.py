"""Measure how soon a deal's credit is published: `python benchmarks/fast_path.py --clients 50`.

Each client has a CRM and an event bus of its own, local servers, and a first morning behind it; then
`make stream` follows them all. Seconds are from the change in the CRM until whoever opens
`published/<client>.duckdb` reads the deal's new amount.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from stream_world import Org, followed, run, seconds, start, stream, wait


def main(
    clients: Annotated[int, typer.Option(help="Clients that are followed.")] = 1,
    sessions: Annotated[int, typer.Option(help="Sessions a client has.")] = 400,
    deals: Annotated[int, typer.Option(help="Deals that are closed one by one.")] = 20,
    burst: Annotated[int, typer.Option(help="Deals that are closed at once.")] = 2000,
    idle: Annotated[float, typer.Option(help="Seconds to measure what waiting costs.")] = 60,
    mornings: Annotated[bool, typer.Option(help="Measure beside `make daily`, too.")] = True,
) -> None:
    """Print seconds from event to published credit, idle and beside `make daily`, of a burst, and what waiting costs."""
    with followed(clients, sessions) as (home, orgs):
        table = Table("measured", "value")
        alone = _morning(clients, sessions, day=1) if mornings else []
        with stream() as process:
            for org in orgs:  # each is followed, and its works have begun once
                seconds(home, org, 2, 200)
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


@contextmanager
def _beside(clients: int, sessions: int, day: int) -> Iterator[list[float]]:
    """Run a morning beside what is done here; then there is how many seconds it took, and of CPU."""
    run("demo", "--copies", clients, "--sessions", sessions, "--day", day, "--clients-folder", "x")
    began, took = time.monotonic(), list[float]()
    process = start("pipelines", "daily")
    yield took
    _, process.returncode, used = os.wait4(process.pid, 0)
    assert process.returncode == 0
    took += [time.monotonic() - began, used.ru_utime + used.ru_stime]


def _morning(clients: int, sessions: int, day: int) -> list[float]:
    """Return how many seconds a morning takes that has a day's data, and of CPU."""
    with _beside(clients, sessions, day) as took:
        pass
    return took


def _of_a_run(took: list[float]) -> str:
    return f"{took[0]:.1f} s, {took[1]:.1f} s of CPU"


def _one_by_one(home: Path, orgs: list[Org], count: int) -> list[float]:
    """Return the seconds of deals of the clients in turn, each closed once the one before is published."""
    return [
        seconds(home, orgs[number % len(orgs)], 3 + number // len(orgs), 300 + time.time() % 1e4)
        for number in range(count)
    ]


def _burst(home: Path, org: Org, count: int) -> float:
    """Return the seconds until all deals are published that were closed at once."""
    began = time.monotonic()
    for number in range(count):
        org.close(1_000_000 + number, 77)
    wait(home, org, "conversion_id LIKE '00600000100%' AND revenue = 77", count)
    return time.monotonic() - began


def _waiting(process: subprocess.Popen, idle: float) -> dict[str, str]:
    """Return what a process and its children take while nothing happens."""
    _settle(process)
    before = _cpu(process)
    time.sleep(idle)
    share = 100 * (_cpu(process) - before) / idle
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


def _told(found: list[float]) -> str:
    worst = statistics.quantiles(found, n=20, method="inclusive")[-1]
    return f"p50 {statistics.median(found):.1f} s, p95 {worst:.1f} s"


if __name__ == "__main__":
    typer.run(main)
