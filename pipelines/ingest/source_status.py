"""Keep the status of each source of each client: `make status` and the gate read it."""

import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.contracts.catalog import CONTRACTS
from pipelines.files import write_atomically
from pipelines.lake.append import source_folder
from pipelines.settings.client import Client
from pipelines.sources.credentials import conceal


class Status(NamedTuple):
    """The status of one source of one client after it was last ingested.

    `code` is ok; `refused`, where what was delivered is not usable, or `failed`, where the
    fault is ours: both hold the client; or the name of a PlatformError: what was there is published, and the
    source is late. `retry_at` is when to ask again, UTC, where the platform says so; `days_missing`
    are the days that the lake lacks, up to yesterday. `notes` say what else there is to know of what
    was loaded; all is well nevertheless.
    """

    client: str
    source: str
    code: str = "ok"
    problem: str = ""
    retry_at: str = ""
    days_missing: list[str] = []
    notes: list[str] = []

    @property
    def holds(self) -> bool:
        """Return whether the client's published tables wait for this source."""
        return self.code in ("refused", "failed")

    @property
    def summary(self) -> str:
        """Return what is wrong, in a line; nothing if nothing is."""
        if self.code == "ok":
            return ""
        parts = [self.problem]
        if self.days_missing:
            parts.append(f"{len(self.days_missing)} days missing from {self.days_missing[0]}")
        if self.retry_at:
            parts.append(f"again after {self.retry_at} UTC")
        return f"{self.code}: {'; '.join(parts)}" if not self.holds else self.problem


def statuses(client: Client) -> list[Status]:
    """Return the status of each source that has one; one that is not readable is `failed`."""
    found = []
    for source in CONTRACTS:
        file = _file(client.id, source)
        try:
            found.append(Status(client.id, **json.loads(file.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError) as error:
            problem = f"{file.name} is not readable: {error}; run make ingest"
            found.append(Status(client.id, source, "failed", problem))
    return found


def write(status: Status) -> None:
    """Keep a source's status, beside its log."""
    content = {name: value for name, value in status._asdict().items() if name != "client"}
    write_atomically(_file(status.client, status.source), json.dumps(content) + "\n")


def forget(client: Client, sources: set[str]) -> None:
    """Forget the sources that a client no longer has."""
    for source in sources:
        _file(client.id, source).unlink(missing_ok=True)


def printable(problem: str) -> str:
    """Return a problem as one line without secrets: it may quote anything, and nothing is cut."""
    line = "".join(letter if letter.isprintable() else " " for letter in conceal(problem))
    return " ".join(line.split())


def moment(at: datetime) -> str:
    """Return a time as statuses show it: UTC, to the minute."""
    return at.strftime("%Y-%m-%d %H:%M")


def _file(client: str, source: str) -> Path:
    return source_folder(client, source) / "status.json"
