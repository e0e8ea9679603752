"""Make many loads of one that dlt has made, and merge the few that a test has."""

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipelines.lake import merging


def repeat_load(source: Path, count: int, apart: timedelta = timedelta(days=1)) -> list[datetime]:
    """Have the only load of a source's folder committed so many times, the last as it was; return when, UTC."""
    (marker,) = source.glob("_dlt_loads/*.jsonl")
    written = json.loads(marker.read_text())
    moment = datetime.fromisoformat(written["inserted_at"])
    moments = [moment - apart * number for number in range(1, count)]
    for at in moments:
        _copy(source, written, at)
    return [at.astimezone(timezone.utc).replace(tzinfo=None) for at in [*reversed(moments), moment]]


def _copy(source: Path, written: dict, at: datetime) -> None:
    load, new = written["load_id"], f"{at.timestamp():.6f}"
    for file in source.glob(f"*/*{load}*"):
        if file.parent.name != "_dlt_version":  # which has one file, however many loads there are
            shutil.copy(file, file.with_name(file.name.replace(load, new)))
    again = next(source.glob(f"_dlt_loads/*{new}*"))
    again.write_text(json.dumps(written | {"load_id": new, "inserted_at": at.isoformat()}))


def merge_all(client: str) -> merging.Merged:
    """Merge a client's log, however few its files are, and remove these, as if a day had passed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(merging, "FEW", 2)
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        return merging.merge(client, now) + merging.merge(client, now + timedelta(days=1))
