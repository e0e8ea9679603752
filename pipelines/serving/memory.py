"""Remember each client's last morning: in the same state, another run would change nothing."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pipelines.code import running_code
from pipelines.contracts.catalog import CONTRACTS
from pipelines.files import write_atomically
from pipelines.home import lake_folder, warehouse_folder
from pipelines.ingest.source_status import statuses
from pipelines.lake.append import source_folder
from pipelines.lake.loads import committed_loads, seen_from
from pipelines.learning.training import utc_now
from pipelines.serving.report import Figures, Report
from pipelines.settings.client import Client


def state(client: Client) -> str:
    """Return a digest of all that a client's run depends on, if it begins now."""
    parts = (
        client.model_dump_json(),
        running_code(),
        [_loads_seen(source_folder(client.id, source)) for source in CONTRACTS],
        statuses(client),
        _first_versions(client),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _loads_seen(folder: Path) -> dict[str, datetime]:
    """Return a source's committed loads that a run sees: those of a clock that was ahead come later."""
    until = seen_from(utc_now())
    return {
        load: moment for load, moment in committed_loads(str(folder)).items() if moment <= until
    }


def _first_versions(client: Client) -> list[tuple[str, str]]:
    """Return each learned model's first version: it changes the SQL models, no later one does."""
    folders = sorted((lake_folder() / client.id / "_models").glob("*"))
    return [
        (folder.name, min((file.name for file in folder.glob("*.parquet")), default=""))
        for folder in folders
    ]


def recall(client: Client, current: str) -> Report | None:
    """Return the report of a client's last morning, if it was published, and in the same state."""
    last = _read(client.shard).get(client.id, {})
    if last.get("state") != current:
        return None
    return Report(client.id, "nothing new", last["reasons"], Figures(**last["published"]))


def remember(shard: str, states: dict[str, str], reports: Iterable[Report]) -> None:
    """Remember a shard's clients that were published, each in its state; forget those that were held."""
    mornings = _read(shard)
    for report in reports:
        mornings.pop(report.client, None)
        if report.result == "published" and report.published:
            mornings[report.client] = {
                "state": states[report.client],
                "reasons": report.reasons,
                "published": report.published._asdict(),
            }
    _write(shard, mornings)


def forget(client: str, shard: str) -> None:
    """Forget a client's last morning: something else than a morning changes what is published."""
    mornings = _read(shard)
    if mornings.pop(client, None):
        _write(shard, mornings)


def remembered() -> dict[str, set[str]]:
    """Return the clients of each shard whose last morning is remembered: they are published."""
    files = warehouse_folder().glob("*.morning.json")
    shards = [file.name.removesuffix(".morning.json") for file in files]
    return {shard: set(_read(shard)) for shard in shards}


def _file(shard: str) -> Path:
    return warehouse_folder() / f"{shard}.morning.json"


def _write(shard: str, mornings: dict[str, dict]) -> None:
    write_atomically(_file(shard), json.dumps(mornings, indent=1))


def _read(shard: str) -> dict[str, dict]:
    """Return what is remembered of a shard's clients; nothing without its warehouse."""
    if not _file(shard).exists() or not (warehouse_folder() / f"{shard}.duckdb").exists():
        return {}
    try:
        return json.loads(_file(shard).read_text(encoding="utf-8"))
    except ValueError:  # cut off in the middle: every client is run again
        return {}
