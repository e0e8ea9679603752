"""Remember each client's last morning: in the same state, another run would change nothing."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from pipelines.code import running_code
from pipelines.files import write_atomically
from pipelines.home import lake_folder, warehouse_folder
from pipelines.ingest.source_status import statuses
from pipelines.lake.append import source_folder
from pipelines.lake.client_sources import client_sources
from pipelines.lake.loads import committed_loads, seen_from
from pipelines.learning.training import utc_now
from pipelines.published.staleness import follow_home, why_behind
from pipelines.published.version_folders import shows_provisional, versions_of
from pipelines.serving.report import Figures, Report
from pipelines.settings.client import Client
from pipelines.torn_blocks import is_doubted
from pipelines.warehouse_files import age, file_of, stamp


def state(client: Client) -> str:
    """Return a digest of all that a client's run depends on, if it begins now."""
    parts = (
        client.model_dump_json(),
        running_code(),
        [_loads_seen(source_folder(client.id, source)) for source in client_sources(client.id)],
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
    """Return the report of a client's last morning, if it was published, and in the same state.

    The warehouse file must be the one that this morning left: it may have been torn since, or
    replaced by an older one. While it is doubted, everybody is run: it may be built again. And its
    published files must be there, as new as the warehouse's tables, and settled.
    """
    if is_doubted(client.shard):
        return None
    last = _published(_read(client.shard)).get(client.id, {})
    if last.get("state") != current or last.get("warehouse") != stamp(client.shard):
        return None
    follow_home(client.id)
    if why_behind(client.id) or shows_provisional(client.id):
        return None
    return Report(client.id, "nothing new", last["reasons"], Figures(**last["published"]))


def remember(shard: str, before: str, states: dict[str, str], report: Report) -> Report:
    """Remember a client's morning in its state; return the report.

    `before` is the stamp that the warehouse file had before it was run. What is remembered of a
    client that was held is why, and what is published of it, which its report is given.
    """
    report = _remember(shard, before, states, report)
    _running(shard).unlink(missing_ok=True)
    return report


def _remember(shard: str, before: str, states: dict[str, str], report: Report) -> Report:
    mornings, now = _read(shard), stamp(shard)
    _carry(mornings, before, now)
    if report.result == "published" and report.published:
        mornings[report.client] = {
            "state": states[report.client],
            "warehouse": now,
            "reasons": report.reasons,
            "published": report.published._asdict(),
        }
    else:
        last = mornings.setdefault(report.client, {})
        last |= {"state": "", "held": report.reasons}
        if figures := last.get("published"):
            report = report._replace(published=report.published or Figures(**figures))
    _write(shard, mornings)
    return report


def begin(shard: str) -> str:
    """Note that a run is about to change a warehouse file; return the stamp that it has before."""
    take_up(shard)
    before = stamp(shard)
    with suppress(OSError):  # then all are run again
        write_atomically(_running(shard), json.dumps({"before": before, "age": age(shard)}))
    return before


def take_up(shard: str) -> None:
    """Take up what a run left that was killed: it has changed its own client's tables, no other's.

    So the other clients are still as they are remembered, if the file is the one that it changed:
    not another, and not an older copy of it.
    """
    try:
        left = json.loads(_running(shard).read_text(encoding="utf-8"))
        now, (file, count) = age(shard), left["age"]
    except (OSError, ValueError, TypeError, KeyError):  # nobody was killed, or there was no file
        return
    if now and now[0] == file and now[1] >= count:
        mornings = _read(shard)
        if _carry(mornings, left["before"], stamp(shard)):
            _write(shard, mornings)
    _running(shard).unlink(missing_ok=True)


def _running(shard: str) -> Path:
    return warehouse_folder() / f"{shard}.running.json"


def note_held(shard: str, report: Report) -> None:
    """Remember why a client was held that was never run; where the disk takes nothing, do not."""
    with suppress(OSError):
        _remember(shard, stamp(shard), {}, report)


def held_for(client: Client) -> list[str]:
    """Return why a client was held by its last morning; nothing if it was not."""
    return _read(client.shard).get(client.id, {}).get("held", [])


def said_of(client: Client) -> list[str]:
    """Return what the last morning that published a client said of it, such as a change that waits."""
    return _read(client.shard).get(client.id, {}).get("reasons", [])


@contextmanager
def unchanged_for_others(shard: str) -> Iterator[None]:
    """Let a command change one client in a warehouse file, or none; the others stay as they are remembered."""
    before = begin(shard)
    try:
        yield
    finally:
        mornings = _read(shard)
        if _carry(mornings, before, stamp(shard)):
            _write(shard, mornings)
        _running(shard).unlink(missing_ok=True)


def _carry(mornings: dict[str, dict], before: str, now: str) -> bool:
    """Note of all clients whose warehouse file had one stamp that it has another; say if any had."""
    carried = [each for each in mornings.values() if each.get("warehouse") == before != now]
    for each in carried:
        each["warehouse"] = now
    return bool(carried)


def files_behind(client: Client) -> str:
    """Return why a published client's files are not what the warehouse has; nothing if they are."""
    is_published = client.id in _published(_read(client.shard))
    return why_behind(client.id) if is_published or versions_of(client.id).exists() else ""


def doubt(client: str, shard: str) -> None:
    """Have a client run by the next morning, whatever is remembered: its tables are about to change."""
    mornings = _read(shard)
    if client in mornings:
        mornings[client]["state"] = ""
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
    return {shard: set(_published(_read(shard))) for shard in shards}


def _file(shard: str) -> Path:
    return warehouse_folder() / f"{shard}.morning.json"


def _write(shard: str, mornings: dict[str, dict]) -> None:
    write_atomically(_file(shard), json.dumps(mornings, indent=1))


def _read(shard: str) -> dict[str, dict]:
    """Return what is remembered of a shard's clients; without its warehouse, only why they were held."""
    try:
        mornings = json.loads(_file(shard).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # cut off in the middle: every client is run again
        return {}
    if not isinstance(mornings, dict) or not all(
        isinstance(each, dict) for each in mornings.values()
    ):
        return {}
    if file_of(shard).exists():
        return mornings
    return {client: {"held": each["held"]} for client, each in mornings.items() if each.get("held")}


def _published(mornings: dict[str, dict]) -> dict[str, dict]:
    """Return the mornings of the clients that are published: others were held before they ever were."""
    return {client: each for client, each in mornings.items() if "published" in each}
