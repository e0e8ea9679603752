"""Keep the status of each source of each client: `make status` and the gate read it."""

import json
from collections.abc import Set
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipelines.contracts.ad_platforms import place as place_of
from pipelines.files import write_atomically
from pipelines.ingest.remedies import to_paste
from pipelines.lake.append import source_folder
from pipelines.lake.client_sources import client_sources
from pipelines.lake.tombstones import without_erased
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.sources.batches import Remedy
from pipelines.sources.credentials import conceal


class Status(NamedTuple):
    """The status of one source of one client after it was last ingested.

    `code` is ok; `refused`, where what was delivered is not usable, or `failed`, where the
    fault is ours: both hold the client; or the name of a PlatformError: what was there is published, and the
    source is late; or `stale`, where it is published, and old. `retry_at` is when to ask again, UTC, where
    the platform says so; `days_missing` are the days that the lake lacks, up to yesterday. By table,
    `newest` is the newest day of data and `stale_from` the day on which it is old. `warnings` are
    what looks wrong in the data and holds nobody. `notes` say what else there is to know of
    what was loaded; all is well nevertheless.
    """

    client: str
    source: str
    code: str = "ok"
    problem: str = ""
    retry_at: str = ""
    days_missing: list[str] = []
    newest: dict[str, str] = {}
    stale_from: dict[str, str] = {}
    warnings: list[str] = []
    notes: list[str] = []

    @property
    def newest_day(self) -> str:
        """Return the newest day of data of any table; nothing where no table has days."""
        return max(self.newest.values(), default="")

    @property
    def holds(self) -> bool:
        """Return whether the client's published tables wait for this source."""
        return self.code in ("refused", "failed")

    @property
    def summary(self) -> str:
        """Return what is wrong, in a line; nothing if nothing is."""
        if self.code == "ok":
            return ""
        if self.holds:
            return self.problem
        parts = [self.problem]
        if self.days_missing:
            parts.append(f"{len(self.days_missing)} days missing from {self.days_missing[0]}")
        if self.retry_at:
            parts.append(f"again after {self.retry_at} UTC")
        return "; ".join(parts) if self.code == "stale" else f"{self.code}: {'; '.join(parts)}"

    def on(self, client: Client, today: date) -> "Status":
        """Return the status as it is on a day: one that was ok may be stale since."""
        old = {table: day for table, day in self.stale_from.items() if day <= str(today)}
        if self.code not in ("ok", "stale"):
            return self
        said = "; ".join(
            f"{table}: newest day of data {self.newest.get(table) or 'not known'}, stale since {day}"
            for table, day in old.items()
        )
        problem = f"{said}. {self._rarer(client, old.keys(), today)}" if old else ""
        return self._replace(code="stale" if old else "ok", problem=problem)

    def _rarer(self, client: Client, old: Set[str], today: date) -> str:
        """Return what helps: the lines say that old tables come more rarely, each week at most."""
        feeds, days = client.sources.of(self.source), dict[str, int]()
        for table in old & feeds.keys():
            place = "api" if isinstance(feeds[table], Api) else table
            newest = date.fromisoformat(self.newest.get(table) or self.stale_from[table])
            days[place] = max((today - newest).days, days.get(place, 7))
        lines = [
            Remedy(f"expected_every: {n} days", below=f"sources.{place_of(self.source)}.{place}")
            for place, n in days.items()
        ]
        paste = to_paste(client.id, lines)
        return f"Deliver newer data{f', or, if it comes more rarely, {paste}' if paste else ''}"


def statuses(client: Client) -> list[Status]:
    """Return the status of each source that has one, as of now; one that is not readable is `failed`."""
    found, now = [], today(client)
    for source in client_sources(client.id):
        file = _file(client.id, source)
        try:
            kept = Status(client.id, **json.loads(file.read_text(encoding="utf-8")))
            found.append(kept.on(client, now))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError) as error:
            problem = f"{file.name} is not readable: {error}; run make ingest"
            found.append(Status(client.id, source, "failed", problem))
    return found


def today(client: Client) -> date:
    """Return the running day in a client's time zone."""
    return datetime.now(ZoneInfo(client.timezone)).date()


def write(status: Status) -> None:
    """Keep a source's status, beside its log. It names nobody who was erased."""
    content = {name: value for name, value in status._asdict().items() if name != "client"}
    text = without_erased(status.client, json.dumps(content, ensure_ascii=False))
    write_atomically(_file(status.client, status.source), f"{text}\n")


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
