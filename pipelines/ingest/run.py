"""Bring every client's sources into the lake, each client in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.commit import bring_in
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.refusals import status_of
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.source_status import Status, forget, write
from pipelines.lake.append import alone, scratch
from pipelines.processes import in_processes
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.deliveries import Platform, exported, platform_of
from pipelines.sources.errors import PlatformError


class Outcome(NamedTuple):
    """What became of one source of one client: the rows it brought, and its status."""

    client: str
    source: str
    counts: Counts
    status: Status

    @property
    def problem(self) -> str:
        """Return what is wrong; nothing if all is well."""
        return self.status.summary


def ingest(chosen: list[Client]) -> Iterator[list[Outcome]]:
    """Bring in the clients, each in a process of its own; yield each one's outcomes as it ends."""
    with duckdb.connect() as connection:
        connection.execute("SELECT ?", [1])  # loads pandas: here once, not in every process
    for client, outcomes in in_processes(ingest_client, chosen):
        yield outcomes or [_ended(Status(client.id, source, *_DIED)) for source in _sources(client)]


_DIED = ("failed", "its process died; run it again")


def ingest_client(client: Client) -> list[Outcome]:
    """Bring in one client's sources, one after the other; a bad one leaves the rest alone."""
    sources = _sources(client)
    forget(client, CONTRACTS.keys() - set(sources))
    return [ingest_source(client, source) for source in sources]


def _sources(client: Client) -> list[str]:
    return list(dict.fromkeys(source for source, _, _ in client.sources.feeds()))


def ingest_source(client: Client, source: str) -> Outcome:
    """Bring in one source: all of its tables in one commit, or none and the reason.

    What a platform answered before an error is brought in, too.
    """
    try:
        with alone(client.id, source), scratch(client.id, source) as folder:
            try:
                return _bring_in(client, SourceLog(client.id, source), folder)
            except ExportError as error:  # here, while the folder still has what was downloaded
                return _ended(status_of(client, source, error))
    except Exception as error:
        return _ended(status_of(client, source, error))


def _bring_in(client: Client, log: SourceLog, folder: Path) -> Outcome:
    """Bring in what was exported, or what a platform answers."""
    if platform := platform_of(client, log.source):
        return _fetch(client, log, platform, folder)
    request = fetch_request(client, log, folder)
    tables = client.sources.of(log.source)
    batches = {table: exported(request, log.source, table) for table in tables}
    return _ended(Status(client.id, log.source), bring_in(client, log, batches, folder))


def _fetch(client: Client, log: SourceLog, platform: Platform, folder: Path) -> Outcome:
    """Bring in what a platform answers, up to its first error."""
    batches: dict[str, list[Batch]] = {}
    status = Status(client.id, log.source)
    try:
        for batch in platform.fetch(fetch_request(client, log, folder)):
            batches.setdefault(batch.table, []).append(batch)
    except PlatformError as error:
        status = status_of(client, log.source, error)
    counts = bring_in(client, log, batches, folder)
    days = [str(day) for day in platform.missing(fetch_request(client, log, folder))]
    return _ended(status._replace(days_missing=days), counts)


def _ended(status: Status, counts: Counts = Counts()) -> Outcome:
    write(status)
    return Outcome(status.client, status.source, counts, status)
