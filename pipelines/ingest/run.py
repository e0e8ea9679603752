"""Bring every client's sources into the lake, each client in a process of its own."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.home import lake_folder
from pipelines.ingest import status
from pipelines.ingest.delta import Counts, Table, gathered, known, take
from pipelines.ingest.status import Status
from pipelines.lake import append as lake
from pipelines.lake.loads import committed_loads
from pipelines.processes import in_processes
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, FetchRequest
from pipelines.sources.credentials import conceal
from pipelines.sources.errors import PlatformError
from pipelines.sources.files.deliveries import batches as exported
from pipelines.sources.files.reading import fingerprint
from pipelines.sources.platforms import facebook_ads, google_ads, salesforce

PLATFORMS = {"google_ads": google_ads, "facebook_ads": facebook_ads, "salesforce": salesforce}


class Outcome(NamedTuple):
    """What became of one source of one client: the rows it brought, and how it stands."""

    client: str
    source: str
    counts: Counts
    status: Status

    @property
    def problem(self) -> str:
        """Return what is wrong; nothing if all is well."""
        return self.status.said


def ingest(chosen: list[Client]) -> Iterator[list[Outcome]]:
    """Bring in the clients, each in a process of its own; yield each one's outcomes as it ends."""
    with duckdb.connect() as connection:
        connection.execute("SELECT ?", [1])  # loads pandas: here once, not in every process
    for client, outcomes in in_processes(ingest_client, chosen):
        yield outcomes or [_ended(Status(client.id, source, *_DIED)) for source in _sources(client)]


def ingest_client(client: Client) -> list[Outcome]:
    """Bring in one client's sources, one after the other; a bad one leaves the rest alone."""
    sources = _sources(client)
    status.forget(client, CONTRACTS.keys() - set(sources))
    return [ingest_source(client, source) for source in sources]


def ingest_source(client: Client, source: str) -> Outcome:
    """Bring in one source: all of its tables in one commit, or none and the reason.

    What a platform answered before it was in trouble is brought in, too.
    """
    try:
        with lake.alone(client.id, source), lake.scratch(client.id, source) as folder:
            feeds = client.sources.of(source)
            if source in PLATFORMS and isinstance(next(iter(feeds.values())), Api):
                return _ask(client, source, folder)
            try:
                asked = asking(client, source, folder)
                batches = {table: exported(asked, source, table) for table in feeds}
                return _ended(Status(client.id, source), bring_in(client, source, batches, folder))
            except ExportError as error:  # here, while the folder still has what was downloaded
                return _ended(_refused(client, source, error))
    except Exception as error:
        return _ended(_refused(client, source, error))


def bring_in(client: Client, source: str, batches: dict[str, list[Batch]], folder: Path) -> Counts:
    """Bring in those of each table's batches that were never loaded, all in one commit.

    A batch without a fingerprint is always looked at; nothing is committed if it says nothing new.
    """
    loads = committed_loads(str(lake.source_folder(client.id, source)))
    deliveries, is_new = {}, False
    for name, some in batches.items():
        table = Table(client, source, name, delivery(client, source, name), loads)
        fingerprints = known(table).fingerprints
        fresh = [
            batch
            for batch in some
            if not batch.fingerprint or fingerprints.get(batch.name) != batch.fingerprint
        ]
        if fresh and table.delivery == "full":
            fresh = some
        if fresh:
            deliveries[name] = take(table, fresh, folder)
            is_new |= any(batch.fingerprint or batch.name not in fingerprints for batch in fresh)
    counts = sum((taken.counts for taken in deliveries.values()), Counts())
    if is_new or counts != Counts(counts.read, unchanged=counts.read):
        lake.append(client.id, source, gathered(deliveries))
    return counts


def asking(client: Client, source: str, folder: Path, since: str = "") -> FetchRequest:
    """Return what a platform is to be asked now, given what the lake has."""
    loads = committed_loads(str(lake.source_folder(client.id, source)))
    tables = {name: Table(client, source, name, "", loads) for name in CONTRACTS[source]}
    covers = {name: known(table).covers for name, table in tables.items()}
    now = datetime.now(timezone.utc)
    return FetchRequest(client, covers, now, _patient_until(client, now), folder, since)


def delivery(client: Client, source: str, table: str) -> str:
    """Return how a table is delivered: see Table."""
    feed = client.sources.of(source)[table]
    return feed.delivery if isinstance(feed, Export) else PLATFORMS[source].DELIVERY


def _ask(client: Client, source: str, folder: Path) -> Outcome:
    """Bring in what a platform answers, up to its first trouble."""
    platform, batches, found = PLATFORMS[source], {}, Status(client.id, source)
    try:
        for batch in platform.fetch(asking(client, source, folder)):
            batches.setdefault(batch.table, []).append(batch)
    except PlatformError as trouble:
        found = _late(client, source, trouble)
    counts = bring_in(client, source, batches, folder)
    days = [str(day) for day in platform.missing(asking(client, source, folder))]
    return _ended(found._replace(days_missing=days), counts)


def _late(client: Client, source: str, trouble: PlatformError) -> Status:
    after = trouble.retry_after
    at = datetime.now(timezone.utc) + timedelta(seconds=after) if after else None
    retry_at = status.moment(at) if at else ""
    return Status(client.id, source, trouble.code, status.printable(str(trouble)), retry_at)


def _patient_until(client: Client, now: datetime) -> datetime:
    """Return until when a source's troubles are waited out: never past the client's deadline."""
    local = now.astimezone(ZoneInfo(client.timezone))
    hour, minute = map(int, client.deadline.split(":"))
    deadline = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if deadline <= local:
        deadline += timedelta(days=1)
    return min(now + timedelta(minutes=client.patience_minutes), deadline)


def _sources(client: Client) -> list[str]:
    return list(dict.fromkeys(source for source, _, _ in client.sources.feeds()))


def _refused(client: Client, source: str, error: Exception) -> Status:
    """Return how a source stands that cannot be brought in: it holds this client, nobody else."""
    if isinstance(error, PlatformError):
        return _late(client, source, error)
    if isinstance(error, ExportError):
        if error.file:
            set_aside(client, source, error.file, str(error))
        return Status(client.id, source, "refused", status.printable(str(error)))
    while error.__cause__:
        error = error.__cause__
    problem = f"{type(error).__name__}: {error}; mend it and run it again"
    return Status(client.id, source, "failed", status.printable(problem))


def _ended(found: Status, counts: Counts = Counts()) -> Outcome:
    status.write(found)
    return Outcome(found.client, found.source, counts, found)


def set_aside(client: Client, source: str, file: Path, reason: str) -> None:
    """Keep a refused file and the reason: tomorrow's delivery may write over it."""
    folder = lake_folder() / client.id / "_refused" / source
    folder.mkdir(parents=True, exist_ok=True)
    try:
        kept = f"{fingerprint(file)[1][:8]}-{file.name}"
        if not (folder / kept).exists():
            shutil.copy2(file, folder / kept)
    except (OSError, ExportError) as error:
        kept = f"unreadable-{file.name}"
        reason += f"\nThe file itself could not be kept: {error}"
    (folder / f"{kept}.reason").write_text(f"{conceal(reason)}\n", encoding="utf-8")


_DIED = ("failed", "its process died; run it again")
