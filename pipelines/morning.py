"""Serve every client's morning: run what ingest brought, promote who passes, hold who does not."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.blueprints import blueprint
from pipelines.clients import Client
from pipelines.committed import committed_loads
from pipelines.contracts import CONTRACTS
from pipelines.home import warehouse_folder
from pipelines.ingest import halted
from pipelines.lake import source_folder
from pipelines.processes import in_processes


class Report(NamedTuple):
    """How a client's morning went, and what its published tables say."""

    client: str
    result: str  # published, nothing new, or held: it keeps what it had
    reasons: list[str] = []
    published: dict[str, str] = {}


def serve(clients: Iterable[Client]) -> Iterator[Report]:
    """Serve the clients, a process for each shard; yield a report of each."""
    shards: dict[str, list[Client]] = {}
    for client in clients:
        shards.setdefault(client.shard, []).append(client)
    for members, reports in in_processes(serve_shard, shards.values()):
        died = f"the process of warehouse/{members[0].shard}.duckdb died; run it again"
        yield from reports or [Report(client.id, "held", [died]) for client in members]


def serve_shard(clients: list[Client]) -> list[Report]:
    """Serve the clients of one shard, in this process; one with nothing new costs next to nothing."""
    memory = warehouse_folder() / f"{clients[0].shard}.morning.json"
    remembered = _remembered(memory)
    states = {client.id: _state(client) for client in clients}
    idle = [
        Report(client, "nothing new", *remembered[client]["report"])
        for client, state in states.items()
        if remembered.get(client, {}).get("state") == state
    ]
    stirred = [client for client in clients if client.id not in {report.client for report in idle}]
    try:
        fresh = _run(stirred) if stirred else []
    except Exception as error:  # a locked or corrupt file: this shard's clients, nobody else's
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return [Report(client.id, "held", [reason]) for client in clients]
    for report in fresh:
        remembered.pop(report.client, None)
        if report.result == "published":
            state = states[report.client]
            remembered[report.client] = {
                "state": state,
                "report": [report.reasons, report.published],
            }
    _remember(memory, remembered)
    return fresh + idle


def _run(clients: list[Client]) -> list[Report]:
    """Run the clients in `daily`, promote who passes, and let who is held keep its version."""
    from pipelines.warehouse import Warehouse  # here: it loads all of SQLMesh

    warehouse = Warehouse(clients[0].shard)
    try:
        names = [client.id for client in clients]
        local = warehouse.local()
        if new := set(names) - warehouse.promoted("daily").keys():
            warehouse.plan("daily", sorted(new), backfill=False)
        failures = warehouse.run("daily", names)
        daily, prod = warehouse.promoted("daily"), warehouse.promoted("prod")
        passed = [name for name in names if name not in failures]
        fresh = [name for name in passed if daily[name] == local[name] != prod.get(name)]
        if fresh:
            warehouse.plan("prod", fresh, backfill=False)
        behind = {name for name in names if name in prod and prod[name] != daily[name]}
        if behind := sorted(behind - set(fresh)):
            warehouse.run("prod", behind)
        in_prod = warehouse.promoted("prod")
        return [
            Report(
                name,
                "held" if name in failures else "published",
                [str(failure) for failure in failures.get(name, [])]
                + ([_PENDING.format(client=name)] if local[name] != daily[name] else []),
                _published(warehouse, name) if name in in_prod else {},
            )
            for name in names
        ]
    finally:
        warehouse.close()


_PENDING = (
    "changed, but not promoted: make preview CLIENT={client}, then make promote CLIENT={client}"
)


def _published(warehouse, client: str) -> dict[str, str]:
    columns = (
        "loaded_until",
        "conversions",
        "currency",
        "revenue",
        "unattributed_revenue",
        "spend",
    )
    rows = warehouse.rows(f"SELECT {', '.join(columns)} FROM {client}_publish.freshness_v1")
    return {column: str(value) for column, value in zip(columns, rows[0])} if rows else {}


def _state(client: Client) -> str:
    """Return a digest of all that a client's run depends on: loads, refusals, settings, models."""
    digest = hashlib.sha256(blueprint(client).encode())
    for source in CONTRACTS:
        digest.update(repr(committed_loads(str(source_folder(client.id, source)))).encode())
    digest.update(repr(halted(client)).encode())
    project = Path(__file__).parent.parent
    for file in sorted(
        file
        for folder in ("models", "macros", "audits")
        for file in (project / folder).rglob("*.[sp][qy]*")
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _remembered(memory: Path) -> dict[str, dict]:
    """Return the state in which each client was last published; nothing without its warehouse."""
    warehouse = memory.with_name(memory.name.replace(".morning.json", ".duckdb"))
    return json.loads(memory.read_text()) if memory.exists() and warehouse.exists() else {}


def _remember(memory: Path, states: dict[str, dict]) -> None:
    fresh = memory.with_suffix(".new")
    fresh.write_text(json.dumps(states, indent=1), encoding="utf-8")
    os.replace(fresh, memory)
