"""Bring every client's exports into the lake, each client in a process of its own."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import dlt
import pyarrow as pa

from pipelines import lake
from pipelines.clients import Client
from pipelines.committed import committed_loads
from pipelines.contracts import CONTRACTS
from pipelines.home import lake_folder
from pipelines.intake import Counts, Delivery, Table, new_files, take
from pipelines.processes import in_processes
from pipelines.sources.files import ExportError, fingerprint


class Outcome(NamedTuple):
    """What became of one source of one client; `problem` is empty where all is well."""

    client: str
    source: str
    counts: Counts = Counts()
    problem: str = ""


def ingest(chosen: list[Client]) -> Iterator[list[Outcome]]:
    """Bring in the clients, each in a process of its own; yield each one's outcomes as it ends."""
    for client, outcomes in in_processes(ingest_client, chosen):
        yield outcomes or _died(client)


def ingest_client(client: Client) -> list[Outcome]:
    """Bring in one client's sources, one after the other; a bad one leaves the rest alone."""
    sources = _sources(client)
    for source in CONTRACTS.keys() - sources:
        _status_file(client.id, source).unlink(missing_ok=True)
    return [ingest_source(client, source) for source in sources]


def ingest_source(client: Client, source: str) -> Outcome:
    """Bring in one source: all of its tables in one commit, or none and the reason."""
    try:
        with lake.alone(client.id, source):
            outcome = Outcome(client.id, source, _bring_in(client, source))
    except ExportError as error:
        if error.file:
            _set_aside(client, source, error.file, str(error))
        outcome = Outcome(client.id, source, problem=_printable(str(error)))
    except Exception as error:  # a fault of ours halts this source by name, never its neighbours
        while error.__cause__:
            error = error.__cause__
        problem = _printable(f"{type(error).__name__}: {error}; mend it and run it again")
        outcome = Outcome(client.id, source, problem=problem)
    _write_status(outcome)
    return outcome


def halted(client: Client) -> dict[str, str]:
    """Return the client's sources whose last delivery was refused, with the reason."""
    problems = {}
    for source in CONTRACTS:
        status = _status_file(client.id, source)
        try:
            problem = json.loads(status.read_text(encoding="utf-8"))["problem"]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{status.name} is not readable: {error}; run make ingest"
        if problem:
            problems[source] = problem
    return problems


def _sources(client: Client) -> list[str]:
    return list(dict.fromkeys(source for source, _, _ in client.sources.exports()))


def _bring_in(client: Client, source: str) -> Counts:
    loads = committed_loads(str(lake.source_folder(client.id, source)))
    tables = [
        Table(client, source, name, export, loads)
        for of, name, export in client.sources.exports()
        if of == source
    ]
    fresh = [(table, files) for table in tables if (files := new_files(table))]
    with ExitStack() as connections:
        deliveries = {
            table.name: connections.enter_context(take(table, files)) for table, files in fresh
        }
        if deliveries:
            lake.append(client.id, source, _resources(deliveries))
    return sum((delivery.counts for delivery in deliveries.values()), Counts())


def _resources(deliveries: dict[str, Delivery]) -> list:
    """Return dlt resources: each table's rows, the rows in quarantine, the ledger of files."""
    return [
        *(
            dlt.resource(delivery.rows, name=table)
            for table, delivery in deliveries.items()
            if delivery.counts.appended or delivery.counts.deleted
        ),
        dlt.resource(
            _chained(delivery.quarantine for delivery in deliveries.values()), name="quarantine"
        ),
        dlt.resource(
            _chained(delivery.exports for delivery in deliveries.values()), name="exports"
        ),
    ]


def _chained(readers: Iterable[pa.RecordBatchReader]) -> Iterator[pa.RecordBatch]:
    for reader in readers:
        yield from reader


def _set_aside(client: Client, source: str, file: Path, reason: str) -> None:
    """Keep a refused file and the reason: tomorrow's delivery may write over it."""
    folder = lake_folder() / client.id / "_refused" / source
    folder.mkdir(parents=True, exist_ok=True)
    try:
        kept = f"{fingerprint(file)[:8]}-{file.name}"
        if not (folder / kept).exists():
            shutil.copy2(file, folder / kept)
    except (OSError, ExportError) as error:
        kept = f"unreadable-{file.name}"
        reason += f"\nThe file itself could not be kept: {error}"
    (folder / f"{kept}.reason").write_text(f"{reason}\n", encoding="utf-8")


def _printable(problem: str) -> str:
    """Return one line of it, of 600 characters at most: it may quote an export."""
    line = "".join(letter if letter.isprintable() else " " for letter in problem)
    return " ".join(line.split())[:600]


def _died(client: Client) -> list[Outcome]:
    outcomes = [
        Outcome(client.id, source, problem="its process died; run it again")
        for source in _sources(client)
    ]
    for outcome in outcomes:
        _write_status(outcome)
    return outcomes


def _status_file(client: str, source: str) -> Path:
    return lake.source_folder(client, source) / "status.json"


def _write_status(outcome: Outcome) -> None:
    """Say beside the log how the last delivery went; the gate of publication reads it."""
    file = _status_file(outcome.client, outcome.source)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"source": outcome.source, "problem": outcome.problem}) + "\n")
    os.replace(fresh, file)
