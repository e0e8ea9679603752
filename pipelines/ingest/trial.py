"""Try what ingest would bring in of an export: the same steps as every morning, but nothing is kept."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from pipelines.ingest.delta import changes
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.pending import pending
from pipelines.ingest.remedies import naming
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import Table
from pipelines.settings.client import Client
from pipelines.sources.batches import FetchRequest
from pipelines.sources.deliveries import delivery_of, exported


class Tried(NamedTuple):
    """What would be in the lake after a table's first load: its rows as Parquet files, and what is said.

    `bad` is a Parquet file of the rows that would go to quarantine; `delivered` are the rows of each
    file by itself, oldest first.
    """

    rows: list[Path]
    counts: Counts
    notes: list[str]
    bad: Path
    delivered: list[Path]


class _NothingLoaded(SourceLog):
    """The log of a source of which nothing was ever loaded, whatever the lake holds."""

    def _read(self) -> None:
        self.loads: dict[str, datetime] = {}
        self._tables, self._readings = None, {}


def tried(client: Client, source: str, table_name: str, folder: Path) -> Tried:
    """Return what a first load of a table would bring in; its files are made in the folder.

    Of whole deliveries it is the newest. Raise ExportError if it would be refused, with the lines of
    the client's file that would read it; PlatformError if a bucket or a database does not answer.
    """
    log = _NothingLoaded(client.id, source)
    table = Table(client, table_name, delivery_of(client, source, table_name), log)
    now = datetime.now(timezone.utc)
    request = FetchRequest(client, {}, now, now + timedelta(minutes=1), folder)
    with naming(table_name):
        found = pending(table, exported(request, source, table_name))
        for round_ in found.rounds:
            done = changes(table, round_, folder)
    files = [
        folder / f"{table_name}.{n}.rows.parquet" for n in range(len(found.rounds[-1].batches))
    ]
    return Tried(done.rows, done.counts, [*found.notes, *done.notes], done.quarantine, files)
