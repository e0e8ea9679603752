"""Bring every client's exports into the lake, each client in a process of its own."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import dlt
import pyarrow as pa

from pipelines import lake
from pipelines.clients import Client, Export
from pipelines.contracts import CONTRACTS
from pipelines.home import lake_folder
from pipelines.intake import Counts, Delivery, fingerprint, new_files, take
from pipelines.processes import in_processes
from pipelines.sources.files import ExportError


class Outcome(NamedTuple):
    """What became of one source of one client; `problem` is empty where all is well."""

    client: str
    source: str
    counts: Counts = Counts()
    problem: str = ""


def ingest_client(client: Client) -> list[Outcome]:
    """Bring in one client's sources, one after the other; a bad one leaves the rest alone."""
    return [ingest_source(client, source) for source in CONTRACTS if _exports(client, source)]


def ingest_source(client: Client, source: str) -> Outcome:
    """Bring in one source: all of its tables in one commit, or none and the reason."""
    try:
        files = {
            table: new_files(client, source, table, export)
            for table, export in _exports(client, source).items()
        }
        deliveries = {
            table: take(client, source, table, export, files[table])
            for table, export in _exports(client, source).items()
            if files[table]
        }
        if deliveries or lake.pipeline(client.id, source).has_pending_data:
            lake.append(client.id, source, _resources(deliveries))
        counts = sum((delivery.counts for delivery in deliveries.values()), Counts())
        outcome = Outcome(client.id, source, counts)
    except ExportError as error:
        if error.file:
            _set_aside(client, source, error.file, str(error))
        outcome = Outcome(client.id, source, problem=str(error))
    except Exception as error:  # a fault of ours halts this source by name, never its neighbours
        outcome = Outcome(client.id, source, problem=f"{type(error).__name__}: {error}")
    _write_status(outcome)
    return outcome


def ingest(chosen: list[Client]) -> Iterator[list[Outcome]]:
    """Bring in the clients, each in a process of its own; yield each one's outcomes as it ends."""
    for client, outcomes in in_processes(ingest_client, chosen):
        yield outcomes or [Outcome(client.id, "ingest", problem="its process died; run it again")]


def halted(client: Client) -> dict[str, str]:
    """Return the client's sources whose last delivery was refused, with the reason."""
    problems = {}
    for source in CONTRACTS:
        status = _status_file(client.id, source)
        if status.exists() and (problem := json.loads(status.read_text())["problem"]):
            problems[source] = problem
    return problems


def _exports(client: Client, source: str) -> dict[str, Export]:
    return {table: export for name, table, export in client.sources.exports() if name == source}


def _resources(deliveries: dict[str, Delivery]) -> list:
    """Return dlt resources: each table's rows, the rows in quarantine, the ledger of files."""
    return [
        *(
            dlt.resource(delivery.rows, name=table)
            for table, delivery in deliveries.items()
            if delivery.counts.appended or delivery.counts.deleted
        ),
        dlt.resource(_chained(delivery.quarantine for delivery in deliveries.values()), name="quarantine"),
        dlt.resource(_chained(delivery.exports for delivery in deliveries.values()), name="exports"),
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
        shutil.copy2(file, folder / kept)
    except (OSError, ExportError) as error:
        kept = f"unreadable-{file.name}"
        reason += f"\nThe file itself could not be kept: {error}"
    (folder / f"{kept}.reason").write_text(f"{reason}\n", encoding="utf-8")


def _status_file(client: str, source: str) -> Path:
    return lake.source_folder(client, source) / "status.json"


def _write_status(outcome: Outcome) -> None:
    """Say beside the log how the last delivery went; the gate of publication reads it."""
    file = _status_file(outcome.client, outcome.source)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"source": outcome.source, "problem": outcome.problem}) + "\n")
    os.replace(fresh, file)
