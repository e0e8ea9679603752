"""Remember a quota that is used up for every client that shares it, in `lake/_quotas/`."""

import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from pipelines.files import write_atomically
from pipelines.home import lake_folder
from pipelines.sources.rest import seconds_until


class Quota(NamedTuple):
    """Until when a quota is used up, UTC, and what the platform calls it."""

    until: datetime
    rate: str

    @property
    def seconds(self) -> float:
        """Return how long that is from now; nothing or less if it is over."""
        return seconds_until(self.until)


def shared_by(source: str, *parts: str) -> Path:
    """Return the file of a quota that is shared by all who have these in common, secrets maybe."""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return lake_folder() / "_quotas" / f"{source}-{digest[:16]}.json"


def use_up(file: Path, seconds: float, rate: str) -> None:
    """Let everyone who shares a quota know for how long it is used up."""
    until = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    told = {"until": until.isoformat(), "seconds": seconds, "rate": rate}
    write_atomically(file, json.dumps(told) + "\n")


def used_up(file: Path) -> Quota | None:
    """Return a quota as long as it is used up.

    If it were used up for longer than was told, the machine's clock was put back: it is asked again.
    """
    try:
        content = json.loads(file.read_text())
        quota = Quota(datetime.fromisoformat(content["until"]), content["rate"])
        return quota if 0 < quota.seconds <= content["seconds"] else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):  # the platform will report it again
        return None
