"""Commit what the batches of a source change: all of its tables in one load, or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.ingest.delta import Changes, Table, changes
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.source_log import SourceLog
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.deliveries import delivery_of


def bring_in(
    client: Client, log: SourceLog, batches: dict[str, list[Batch]], folder: Path
) -> Counts:
    """Bring in those of each table's batches that were never loaded, all in one commit.

    Nothing is committed if they bring nothing new. Files are made in the folder meanwhile.
    """
    changed, is_new = {}, False
    for name, delivered in batches.items():
        table = Table(client, name, delivery_of(client, log.source, name), log)
        if fresh := _never_loaded(table, delivered):
            with _naming(name):
                changed[name] = changes(table, fresh, folder)
            is_new |= _are_new(table, fresh)
    counts = sum((table.counts for table in changed.values()), Counts())
    if is_new or not counts.is_all_unchanged:
        log.append(_files(changed))
    return counts


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Note of an export that is refused which table it is of."""
    try:
        yield
    except ExportError as error:
        error.table = table
        raise


def _never_loaded(table: Table, batches: list[Batch]) -> list[Batch]:
    """Return the batches whose content was never loaded; one without a fingerprint always counts.

    All files of a full export are read if one of them is new: a row is deleted if none of them has
    it.
    """
    loaded = table.log.loaded(table.name).fingerprints
    fresh = [
        batch
        for batch in batches
        if not batch.fingerprint or loaded.get(batch.name) != batch.fingerprint
    ]
    return batches if fresh and table.delivery.mode == "full" else fresh


def _are_new(table: Table, fresh: list[Batch]) -> bool:
    """Return whether a batch must be in the load counts, even if it changes nothing."""
    loaded = table.log.loaded(table.name).fingerprints
    return any(batch.fingerprint or batch.name not in loaded for batch in fresh)


def _files(changed: dict[str, Changes]) -> dict[str, list[Path]]:
    """Return the files for the lake: each table's rows, all bad rows, all load counts."""
    files = {name: table.rows for name, table in changed.items() if table.rows}
    files["exports"] = [table.load_counts for table in changed.values()]
    if bad := [table.quarantine for table in changed.values() if table.counts.quarantined]:
        files["quarantine"] = bad
    return files
