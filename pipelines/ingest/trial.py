"""Try what ingest would bring in of an export: the same steps as every morning, but nothing is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest.delta import changes
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.pending import Round, pending
from pipelines.ingest.remedies import naming
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import Table
from pipelines.settings.client import Client
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Batch, FetchRequest, Open, Rows
from pipelines.sources.deliveries import delivery_of, exported


class Extent(NamedTuple):
    """How much of an export is tried: so many of its newest files, so many rows of each; or all."""

    files: int | None = None
    rows: int | None = None


class Tried(NamedTuple):
    """What would be in the lake after a table's first load: its rows as Parquet files, and what is said.

    `bad` is a Parquet file of the rows that would go to quarantine; `delivered` are the rows of each
    file by itself, oldest first; `files` is how many of them were tried. `numbers` is how their
    values prove that numbers are written, where no setting says it.
    """

    rows: list[Path]
    counts: Counts
    notes: list[str]
    bad: Path
    delivered: list[Path]
    files: int
    numbers: Numbers | None = None


class _NothingLoaded(SourceLog):
    """The log of a source of which nothing was ever loaded, whatever the lake holds."""

    def _read(self) -> None:
        self.loads: dict[str, datetime] = {}
        self._tables, self._readings = None, {}


def tried(
    client: Client, source: str, table_name: str, folder: Path, extent: Extent = Extent()
) -> Tried:
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
        rounds = [_within(round_, extent) for round_ in found.rounds][-(extent.files or 0) :]
        for round_ in rounds:
            done = changes(table, round_, folder)
    files = [folder / f"{table_name}.{n}.rows.parquet" for n in range(len(rounds[-1].batches))]
    notes = [*found.notes, *done.notes]
    count = sum(len(round_.batches) for round_ in rounds)
    tried_so = (done.rows, done.counts, notes, done.quarantine, files, count)
    return Tried(*tried_so, done.numbers)


def _within(round_: Round, extent: Extent) -> Round:
    """Return a round of fewer batches, or of their first rows."""
    batches = round_.batches[-(extent.files or 0) :]
    if extent.rows is None:
        return round_._replace(batches=batches)
    return round_._replace(batches=[_beginning(batch, extent.rows) for batch in batches])


def _beginning(batch: Batch, most: int) -> Batch:
    """Return a batch of which no more than the first rows are read, by whatever settings."""

    def opening(batch: Batch) -> Open:
        @contextmanager
        def opened(connection: duckdb.DuckDBPyConnection) -> Iterator[Rows]:
            with batch.open(connection) as rows:
                yield _first(rows, most)

        return opened

    return batch._replace(
        open=opening(batch), opening=batch.opening and (lambda export: opening(batch.by(export)))
    )


def _first(rows: Rows, most: int) -> Rows:
    """Return the first rows; how many records there are in all says nothing of them."""
    again = rows.again
    return rows._replace(
        relation=f"(FROM {rows.relation} LIMIT {most})",
        records=None,
        again=again and (lambda: _first(again(), most)),
    )
