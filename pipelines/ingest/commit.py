"""Commit what the batches of a source change: all of its tables in one load, or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipelines.ingest.acceptance import wait_for_word
from pipelines.ingest.both_readings import both_readings
from pipelines.ingest.deletions import Held, HeldTogether
from pipelines.ingest.delta import Changes, changes
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.pending import Pending, Round, Undecided, pending
from pipelines.ingest.source_log import LoadedTable, SourceLog
from pipelines.ingest.table import Table
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.deliveries import delivery_of


class Loaded(NamedTuple):
    """What was loaded of a source: how many rows, and what is to be said of it.

    If nothing `was_read`, what was said before still holds.
    """

    counts: Counts = Counts()
    notes: list[str] = []
    was_read: bool = False


def bring_in(
    client: Client, log: SourceLog, batches: dict[str, list[Batch]], folder: Path
) -> Loaded:
    """Bring in what is pending of each table: a commit for each round, all tables in the last.

    Of most sources there is one round; whole deliveries that were never loaded are a round each.
    Nothing is committed of a round if it brings nothing new. Files are made in the folder meanwhile.
    """
    found = {name: _pending(client, log, name, each, folder) for name, each in batches.items()}
    round_count = max((len(each.rounds) for each in found.values()), default=0)
    counts, said = Counts(), list[str]()
    notes = [note for each in found.values() for note in each.notes]
    for left in range(round_count, 0, -1):
        rounds = {
            name: each.rounds[-left] for name, each in found.items() if len(each.rounds) >= left
        }
        changed = _commit(client, log, rounds, folder)
        counts = sum((table.counts for table in changed), counts)
        said = [note for table in changed for note in table.notes]
    wait_for_word(client.id, log.source, [])
    return Loaded(counts, said + notes, bool(round_count))


def _pending(
    client: Client, log: SourceLog, name: str, batches: list[Batch], folder: Path
) -> Pending:
    table = Table(client, name, delivery_of(client, log.source, name), log)
    with _naming(name):
        try:
            return pending(table, batches)
        except Undecided:
            raise both_readings(table, batches, folder) from None


def _commit(
    client: Client, log: SourceLog, rounds: dict[str, Round], folder: Path
) -> list[Changes]:
    """Commit one round of each table. Raise Held for all that lack too much at once."""
    changed, held = {}, []
    for name, round_ in rounds.items():
        table = Table(client, name, delivery_of(client, log.source, name), log)
        try:
            with _naming(name):
                changed[name] = changes(table, round_, folder)
        except Held as error:
            held.append(error)
    if held:
        wait_for_word(client.id, log.source, [each.waiting for each in held])
        raise held[0] if len(held) == 1 else HeldTogether(held)
    counts = sum((table.counts for table in changed.values()), Counts())
    is_new = any(_are_new(log.loaded(name), round_.batches) for name, round_ in rounds.items())
    if is_new or not counts.is_all_unchanged:
        log.append(_files(changed))
    return list(changed.values())


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Note of an export that is refused which table it is of."""
    try:
        yield
    except ExportError as error:
        error.table = table
        raise


def _are_new(loaded: LoadedTable, batches: list[Batch]) -> bool:
    """Return whether batches must be in the load counts, even if they change nothing."""
    return any(batch.fingerprint or batch.name not in loaded.fingerprints for batch in batches)


def _files(changed: dict[str, Changes]) -> dict[str, list[Path]]:
    """Return the files for the lake: each table's rows, all bad rows, all load counts."""
    files = {name: table.rows for name, table in changed.items() if table.rows}
    files["exports"] = [table.load_counts for table in changed.values()]
    if bad := [table.quarantine for table in changed.values() if table.counts.quarantined]:
        files["quarantine"] = bad
    return files
