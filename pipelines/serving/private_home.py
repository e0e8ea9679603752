"""Make a home of its own beside the real one, in which numbers of another time are computed.

It has the client's settings, the loads and learnt versions of then, as links to the lake's files, and a
warehouse. Nothing in it is shown to anybody, and it goes when the computation has ended: one that was
killed is cleared away by the next.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.explaining.bringing_loads import Load
from pipelines.explaining.made_then import MadeThen
from pipelines.home import home, lake_folder


@contextmanager
def private_home(client: str, made: MadeThen) -> Iterator[Path]:
    """Yield a folder to compute in what a client's numbers were made of; it is removed at the end."""
    above = home().absolute() / ".cache" / "replays"
    above.mkdir(parents=True, exist_ok=True)
    _clear(above)
    folder = Path(tempfile.mkdtemp(prefix=f"{client}-", dir=above))
    with (folder / "in_use.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the process ends, however it does
        try:
            _furnish(folder, client, made)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _clear(above: Path) -> None:
    """Remove the homes of processes that were killed."""
    for folder in above.iterdir():
        with suppress(OSError), (folder / "in_use.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _furnish(folder: Path, client: str, made: MadeThen) -> None:
    (folder / "clients").mkdir()
    (folder / "clients" / f"{client}.yaml").write_bytes(made.settings)
    (folder / ".cache").symlink_to(folder.parent.parent)  # models that are parsed already
    lake, there = folder / "lake" / client, (lake_folder() / client).absolute()
    sources = sorted({load.source for load in made.loads})
    for source in sources:
        loads = [load for load in made.loads if load.source == source]
        _link_loads(there / source, lake / source, loads)
    _link_learnt(there / "_models", lake / "_models", made.models)
    if (there / "_ihc").exists():
        (lake / "_ihc").symlink_to(there / "_ihc")
    _write_statuses(lake, made.statuses or [{"source": source} for source in sources])


def _link_loads(there: Path, here: Path, loads: Iterable[Load]) -> None:
    """Link a source's tables, and mark as committed the loads of then alone: others are not read."""
    here.mkdir(parents=True)
    for table in there.iterdir():
        if table.is_dir() and not table.name.startswith("_"):
            (here / table.name).symlink_to(table)
    (here / "_dlt_loads").mkdir()
    markers = (
        {
            "load_id": load.load_id,
            "status": 0,
            "inserted_at": f"{load.committed_at.isoformat()}+00:00",
        }
        for load in loads
    )
    (here / "_dlt_loads" / "then.jsonl").write_text("\n".join(map(json.dumps, markers)) + "\n")


def _link_learnt(there: Path, here: Path, models: dict[str, str] | None) -> None:
    """Link the learnt versions up to those of then; where it is not said which, those in force now.

    A version is named by the time of its training. What a rollback has set aside since, under a longer
    name, was in force then.
    """
    newest = max(models.values(), default="") if models is not None else None
    for file in there.glob("*/*.parquet*" if models is not None else "*/*.parquet"):
        version = file.name.partition(".")[0]
        if version and (newest is None or version <= newest):
            (here / file.parent.name).mkdir(parents=True, exist_ok=True)
            (here / file.parent.name / f"{version}.parquet").symlink_to(file)


def _write_statuses(lake: Path, statuses: list[dict[str, Any]]) -> None:
    """Write what was known of each source as ingest writes it."""
    for said in statuses:
        newest = {"": said["newest_day"]} if said.get("newest_day") else {}
        status = {
            "source": said["source"],
            "code": said.get("code") or "ok",
            "problem": said.get("problem") or "",
            "retry_at": said.get("retry_at") or "",
            "days_missing": said.get("days_missing") or [],
            "newest": newest,
            "warnings": [said["warnings"]] if said.get("warnings") else [],
        }
        folder = lake / said["source"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "status.json").write_text(json.dumps(status), encoding="utf-8")
