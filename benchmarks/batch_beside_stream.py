"""Measure what the stream costs the batch: `python benchmarks/batch_beside_stream.py --every 10`.

Two mornings are a pair: one has the stream beside it, which publishes each deal as it closes, and one
has not. Both find the same: as much new data, deals that closed before it, and deals that close
meanwhile, one every so many seconds. Which of the two comes first changes from pair to pair.
"""

import os
import statistics
import time
from contextlib import nullcontext
from threading import Event, Thread
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from stream_world import Org, followed, run, seconds, start, stream, wait

BEFORE = 5  # deals of each client that close before a morning


class Morning(NamedTuple):
    """What a morning took."""

    wall: float
    cpu: float


def main(
    every: Annotated[float, typer.Option(help="Seconds between two deals.")] = 10,
    pairs: Annotated[int, typer.Option(help="Pairs of mornings.")] = 5,
    clients: Annotated[int, typer.Option(help="Clients that are followed.")] = 1,
    sessions: Annotated[int, typer.Option(help="Sessions a client has.")] = 400,
) -> None:
    """Print what `make daily` takes alone and beside the stream, and by how much that differs."""
    found: dict[bool, list[Morning]] = {True: [], False: []}
    with followed(clients, sessions) as (home, orgs):
        numbers = iter(range(10, 1_000_000))
        for day in range(2 * pairs):
            is_beside = day % 4 in (1, 2)
            new = ("--copies", clients, "--sessions", sessions, "--day", day + 1)
            run("demo", *new, "--clients-folder", "x")
            with stream() if is_beside else nullcontext():
                if is_beside:
                    for org in orgs:
                        seconds(home, org, 2, 100 + day)
                for _ in range(BEFORE):
                    for org in orgs:
                        org.close(last := next(numbers), 50)
                if is_beside:
                    wait(home, orgs[-1], f"conversion_id = '006{last:012}AAA'", 1)
                found[is_beside].append(_morning(orgs, numbers, every))
    _show(found, every)


def _morning(orgs: list[Org], numbers, every: float) -> Morning:
    """Run a morning while deals close."""
    is_over = Event()

    def close() -> None:
        while not is_over.wait(every):
            number = next(numbers)
            orgs[number % len(orgs)].close(number, 50)

    closing = Thread(target=close)
    closing.start()
    began = time.monotonic()
    process = start("pipelines", "daily")
    _, process.returncode, used = os.wait4(process.pid, 0)
    took = Morning(time.monotonic() - began, used.ru_utime + used.ru_stime)
    is_over.set()
    closing.join()
    assert process.returncode == 0
    return took


def _show(found: dict[bool, list[Morning]], every: float) -> None:
    table = Table(f"a deal every {every:g} s", "make daily, wall", "make daily, CPU")
    medians = {}
    for is_beside, name in ((False, "alone"), (True, "beside the stream")):
        columns = list(zip(*found[is_beside]))
        medians[is_beside] = [statistics.median(column) for column in columns]
        told = [f"{statistics.median(c):.2f} s ({min(c):.2f} to {max(c):.2f})" for c in columns]
        table.add_row(name, *told)
    slower = [100 * (b / a - 1) for a, b in zip(medians[False], medians[True])]
    table.add_row("slower by", *(f"{share:.1f} %" for share in slower))
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
