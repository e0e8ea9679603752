"""Commit what the batches of a source change: all of its tables in one load, or none."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pipelines.ingest import readings
from pipelines.ingest.acceptance import Waiting, wait_for_word, waiting_of
from pipelines.ingest.both_readings import both_readings
from pipelines.ingest.deletions import Held, HeldTogether
from pipelines.ingest.delta import Changes, changes
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.pending import Pending, Round, Undecided, pending
from pipelines.ingest.remedies import naming
from pipelines.ingest.rereading import with_rereads
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
    client: Client,
    log: SourceLog,
    batches: dict[str, list[Batch]],
    folder: Path,
    is_asked: bool = False,
) -> Loaded:
    """Bring in what is pending of each table: a commit for each round, all tables in the last.

    If it `is_asked`, what was loaded is read again; of a platform, that it answered is kept at any rate.

    Of most sources there is one round; whole deliveries that were never loaded are a round each.
    Nothing is committed of a round if it brings nothing new. Files are made in the folder meanwhile.
    """
    _keep_unknown_readings(client, log, batches, folder)
    found = {
        name: _pending(client, log, name, each, folder, is_asked) for name, each in batches.items()
    }
    round_count = max((len(each.rounds) for each in found.values()), default=0)
    loaded = Loaded(notes=[note for each in found.values() for note in each.notes])
    read = {name for name, each in found.items() if each.rounds}
    waiting = [each for each in waiting_of(client.id, log.source) if _stays(each, read)]
    for left in range(round_count, 0, -1):
        rounds = {
            name: each.rounds[-left] for name, each in found.items() if len(each.rounds) >= left
        }
        changed, notes = _changed(client, log, rounds, folder, is_last=left == 1)
        counts = _commit(log, changed, {name: rounds[name] for name in changed}, is_asked)
        loaded = Loaded(loaded.counts + counts, notes + loaded.notes, was_read=True)
        if left == 1:
            waiting += [each for table in changed.values() for each in table.waiting]
    wait_for_word(client.id, log.source, waiting)
    return loaded


def _stays(waiting: Waiting, read: set[str]) -> bool:
    """Return whether a person's word is still waited for: of rows that are kept, of a table that is not read."""
    return waiting.is_kept and waiting.table not in read


def _keep_unknown_readings(
    client: Client, log: SourceLog, tables: Iterable[str], folder: Path
) -> None:
    """Keep of files that a version before this one loaded that they were read as the settings are."""
    kept = []
    for name in tables:
        table = Table(client, name, delivery_of(client, log.source, name), log)
        if table.export and (unknown := readings.unknown(table)):
            file = folder / f"{name}.unknown.parquet"
            kept.append(readings.kept(table, unknown, {}, file))
    if kept:
        log.append({"readings": kept})


def _pending(
    client: Client,
    log: SourceLog,
    name: str,
    batches: list[Batch],
    folder: Path,
    is_asked: bool,
) -> Pending:
    table = Table(client, name, delivery_of(client, log.source, name), log)
    with naming(name):
        if is_asked and not table.export:  # it may say what it said before
            return Pending([Round(batches)])
        try:
            return with_rereads(table, batches, pending(table, batches), is_asked)
        except Undecided:
            raise both_readings(table, batches, folder) from None


def _changed(
    client: Client, log: SourceLog, rounds: dict[str, Round], folder: Path, is_last: bool
) -> tuple[dict[str, Changes], list[str]]:
    """Return what a round of each table changes, and what is to be said of it.

    A whole delivery that cannot be used, or lacks too much, is left out if a newer one is there: in
    the last round there is none. Raise ExportError then, for all that lack too much at once.
    """
    changed, held, notes = dict[str, Changes](), list[Held](), list[str]()
    for name, round_ in rounds.items():
        table = Table(client, name, delivery_of(client, log.source, name), log)
        try:
            with naming(name):
                changed[name] = changes(table, round_, folder)
                notes += changed[name].notes
        except ExportError as error:
            if not is_last:
                notes.append(f"not loaded, as a newer delivery is there: {error}")
            elif isinstance(error, Held):
                held.append(error)
            else:
                raise
    if held:
        wait_for_word(client.id, log.source, [each.waiting for each in held])
        raise held[0] if len(held) == 1 else HeldTogether(held)
    return changed, notes


def _commit(
    log: SourceLog, changed: dict[str, Changes], rounds: dict[str, Round], is_asked: bool
) -> Counts:
    """Commit one round of each table, unless it brings nothing new and nobody asked for it."""
    counts = sum((table.counts for table in changed.values()), Counts())
    is_new = is_asked or any(
        _are_new(log.loaded(name), round_.batches) for name, round_ in rounds.items()
    )
    is_new |= any(round_.again is not None for round_ in rounds.values())
    if is_new or not counts.is_all_unchanged:
        log.append(_files(changed))
    return counts


def _are_new(loaded: LoadedTable, batches: list[Batch]) -> bool:
    """Return whether batches must be in the load counts, even if they change nothing."""
    return any(batch.fingerprint or batch.name not in loaded.fingerprints for batch in batches)


def _files(changed: dict[str, Changes]) -> dict[str, list[Path]]:
    """Return the files for the lake: each table's rows, all bad rows, all load counts."""
    files = {name: table.rows for name, table in changed.items() if table.rows}
    files["exports"] = [table.load_counts for table in changed.values()]
    if kept := [table.reading for table in changed.values() if table.reading]:
        files["readings"] = kept
    if bad := [table.quarantine for table in changed.values() if table.counts.quarantined]:
        files["quarantine"] = bad
    return files
