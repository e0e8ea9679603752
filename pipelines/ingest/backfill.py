"""Load a client's history from its platforms, a slice a commit, beside everybody's mornings."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.ingest.delta import Counts
from pipelines.ingest.run import PLATFORMS, asking, bring_in, set_aside
from pipelines.ingest.status import printable
from pipelines.lake import append as lake
from pipelines.lake.loads import committed_loads
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, ExportError, FetchRequest
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
    return [
        source
        for source in PLATFORMS
        if any(isinstance(feed, Api) for feed in client.sources.of(source).values())
    ]


def backfill(client: Client, source: str, since: date) -> Iterator[Slice]:
    """Load the history of one source since a day; yield each slice once it is committed.

    The first one yielded is empty, and says how many days are missing. The newest days come
    first, so that what the lake has is never interrupted: an ended backfill goes on where it was,
    and no morning has to fill a gap. The source is held only while a slice is committed.
    """
    with lake.alone(client.id, f"{source}.backfill"):
        asked = asking(client, source, Path(), str(since))
        yield Slice(source, "", days_missing=_missing(source, asked))
        try:
            while slice_ := _next(client, source, since):
                yield slice_
        except PlatformError as trouble:
            yield Slice(source, "", problem=f"{trouble.code}: {printable(str(trouble))}")
        except ExportError as error:
            yield Slice(source, "", problem=printable(str(error)))


def _next(client: Client, source: str, since: date) -> Slice | None:
    """Load one slice more; return None if nothing is missing.

    A slice that was asked for before a morning's commit may be older than it: it says nothing.
    """
    with lake.scratch(client.id, f"{source}.backfill") as folder:
        before = _loads(client, source)
        asked = asking(client, source, folder, str(since))
        for batch in islice(PLATFORMS[source].fetch(asked), 1):
            try:
                counts = _commit(client, source, batch, before)
            except ExportError as error:
                set_aside(client, source, batch.path, str(error))
                raise
            left = _missing(source, asking(client, source, folder, str(since)))
            return Slice(source, batch.name, counts, left)
    return None


def _commit(client: Client, source: str, batch: Batch, before: set[str]) -> Counts:
    with lake.alone(client.id, source), lake.scratch(client.id, f"{source}.slice") as folder:
        if _loads(client, source) != before:
            return Counts()
        return bring_in(client, source, {batch.table: [batch]}, folder)


def _loads(client: Client, source: str) -> set[str]:
    return set(committed_loads(str(lake.source_folder(client.id, source))))


def _missing(source: str, asked: FetchRequest) -> int:
    return len(PLATFORMS[source].missing(asked))
