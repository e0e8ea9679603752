"""Remember in what state a client was last published: in the same state, a run changes nothing."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pipelines.blueprints.blueprint import blueprint
from pipelines.code import running_code
from pipelines.contracts.catalog import CONTRACTS
from pipelines.files import write_atomically
from pipelines.home import warehouse_folder
from pipelines.ingest.source_status import halted, late
from pipelines.lake.append import source_folder
from pipelines.lake.loads import committed_loads
from pipelines.settings.client import Client


def state(client: Client) -> str:
    """Return a digest of all that a client's run depends on: loads, refusals, settings, code."""
    digest = hashlib.sha256(blueprint(client).encode())
    for source in CONTRACTS:
        digest.update(repr(committed_loads(str(source_folder(client.id, source)))).encode())
    digest.update(repr((halted(client), late(client))).encode())
    digest.update(running_code().encode())
    return digest.hexdigest()


def recall(client: Client, current: str) -> list | None:
    """Return what was said of a client when it was last published; None if its state is another."""
    known = _read(client.shard).get(client.id, {})
    return known["said"] if known.get("state") == current else None


def remember(clients: Iterable[Client], states: dict[str, str], said: dict[str, tuple]) -> None:
    """Keep what was said of the published ones among a shard's clients; forget the others."""
    for shard in {client.shard for client in clients}:
        known = _read(shard)
        for client in clients:
            known.pop(client.id, None)
            if client.id in said:
                known[client.id] = {"state": states[client.id], "said": said[client.id]}
        _write(shard, known)


def forget(client: str, shard: str) -> None:
    """Forget what was said of a client: something else than a morning changes what is published."""
    known = _read(shard)
    if known.pop(client, None):
        _write(shard, known)


def _file(shard: str) -> Path:
    return warehouse_folder() / f"{shard}.morning.json"


def _write(shard: str, known: dict[str, dict]) -> None:
    write_atomically(_file(shard), json.dumps(known, indent=1))


def _read(shard: str) -> dict[str, dict]:
    """Return what is remembered of a shard; nothing without its warehouse."""
    if not _file(shard).exists() or not (warehouse_folder() / f"{shard}.duckdb").exists():
        return {}
    try:
        return json.loads(_file(shard).read_text(encoding="utf-8"))
    except ValueError:  # torn: forgotten
        return {}
