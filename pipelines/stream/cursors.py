"""Remember how far a client's CRM has been followed, through crashes: one small file a topic."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from pipelines.files import replacing
from pipelines.lake.append import working_folder


class Cursor(NamedTuple):
    """The replay id that everything up to is in the lake, and when that was."""

    replay_id: bytes
    at: datetime


def read(client: str, topic: str) -> Cursor | None:
    """Return how far a topic was followed; None if never, or if the file cannot be read.

    Without it a topic is read from its beginning again, and what is known is not appended.
    """
    try:
        kept = json.loads(_file(client, topic).read_text())
        return Cursor(bytes.fromhex(kept["replay_id"]), datetime.fromisoformat(kept["at"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write(client: str, topic: str, replay_id: bytes) -> None:
    """Remember that everything up to a replay id is in the lake."""
    kept = {"replay_id": replay_id.hex(), "at": datetime.now(timezone.utc).isoformat()}
    with replacing(_file(client, topic), sync=True) as unfinished:
        unfinished.write_text(json.dumps(kept))


def forget(client: str, topic: str) -> None:
    """Follow a topic from its beginning the next time."""
    _file(client, topic).unlink(missing_ok=True)


def _file(client: str, topic: str) -> Path:
    return working_folder(client) / "stream" / f"{topic.strip('/').replace('/', '-')}.json"
