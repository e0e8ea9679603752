"""Load a client's history from its platforms, a slice a commit, beside everybody's mornings."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.ingest.commit import bring_in
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.refused_files import keep_refused
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.source_status import printable
from pipelines.lake.append import alone, scratch
from pipelines.ledger.recording import recorded
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.deliveries import PLATFORMS, platform_of
from pipelines.sources.errors import PlatformError


class Slice(NamedTuple):
    """A slice of history that is in the lake now, or the problem that ends a source's backfill."""

    source: str
    name: str
    counts: Counts = Counts()
    days_missing: int = 0
    problem: str = ""


def platforms(client: Client) -> list[str]:
    """Return the client's sources that have an API; what is exported to files is read anyway."""
    return [source for source in PLATFORMS if platform_of(client, source)]


def backfill(client: Client, source: str, since: date) -> Iterator[Slice]:
    """Load the history of one source since a day; yield each slice once it is committed.

    The first one yielded is empty, and counts the days that are missing. The newest days come
    first, so that there is never a gap in what the lake has: a backfill that was ended goes on
    where it was, and no morning has to fill a gap. The source is locked only while a slice is
    committed.
    """
    with alone(client.id, f"{source}.backfill"), recorded(client.id, "backfill", source) as run:
        run.rows = 0
        for slice_ in _slices(client, source, since):
            run.rows += slice_.counts.appended
            if slice_.problem:
                run.fails("late", slice_.problem)
            yield slice_


def _slices(client: Client, source: str, since: date) -> Iterator[Slice]:
    yield Slice(source, "", days_missing=_days_missing(client, source, since))
    try:
        while slice_ := _next(client, source, since):
            yield slice_
    except PlatformError as error:
        yield Slice(source, "", problem=f"{error.code}: {printable(str(error))}")
    except ExportError as error:
        yield Slice(source, "", problem=printable(str(error)))


def _next(client: Client, source: str, since: date) -> Slice | None:
    """Load one slice more; return None if nothing is missing."""
    with scratch(client.id, f"{source}.backfill") as folder:
        log = SourceLog(client.id, source)
        request = fetch_request(client, log, folder, str(since))
        platform = platform_of(client, source)
        for batch in islice(platform.fetch(request), 1) if platform else ():
            counts = _commit(client, log, batch)
            return Slice(source, batch.name, counts, _days_missing(client, source, since))
    return None


def _commit(client: Client, before: SourceLog, batch: Batch) -> Counts:
    """Commit a slice, unless a morning has committed since it was asked for: it may be older."""
    source = before.source
    with alone(client.id, source), scratch(client.id, f"{source}.slice") as folder:
        log = SourceLog(client.id, source)
        if log.loads != before.loads:
            return Counts()
        try:
            return bring_in(client, log, {batch.table: [batch]}, folder).counts
        except ExportError as error:
            if batch.path:
                keep_refused(client, source, batch.path, str(error))
            raise


def _days_missing(client: Client, source: str, since: date) -> int:
    """Return how many days of the history the lake lacks now; nothing is fetched."""
    log = SourceLog(client.id, source)
    request = fetch_request(client, log, Path(), str(since))
    platform = platform_of(client, source)
    return len(platform.missing(request)) if platform else 0
