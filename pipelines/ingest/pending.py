"""Say which of a table's batches are brought in now, and in which order.

An increment brings what was never loaded. Of a full export each file is a whole delivery: the newest
is what there is, and older ones that were never loaded are history, loaded before it. With
`parts: true` all files together are one delivery.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipelines.ingest import acceptance
from pipelines.ingest.table import Table
from pipelines.settings.exports import Export
from pipelines.settings.ordered_by import DeliveryOrder
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.files.delivery_groups import Delivery, Group, by_file_times, by_names
from pipelines.sources.files.delivery_order import in_order
from pipelines.sources.files.name_patterns import OrderError


class Round(NamedTuple):
    """What of a table is loaded at once, oldest first.

    `untold` are groups of batches of which it cannot be told which is newer, and why. `file_count`
    is how many files there are of a full export. What a round that `is_settled` deletes, the
    client's file has decided. What is read `again` has how each batch was read before.
    """

    batches: list[Batch]
    untold: list[Group] = []
    file_count: int = 1
    is_settled: bool = False
    again: dict[str, str] | None = None


class Pending(NamedTuple):
    """The rounds in which a table's batches are loaded, and what is said of those that are not."""

    rounds: list[Round]
    notes: list[str] = []


class Undecided(Exception):
    """Files of a full export were taken together until now, and nobody has said what they are."""


def pending(table: Table, batches: list[Batch]) -> Pending:
    """Return what of the batches is to be loaded.

    Raise ExportError if it cannot be told which full delivery is newest, Undecided if the client's
    file must say first whether its files are parts.
    """
    export = table.export
    if not export or not export.files:
        fresh = _never_loaded(table, batches)
        all_of_it = batches if fresh and table.delivery.mode == "full" else fresh
        return Pending([Round(all_of_it)] if all_of_it else [])
    if table.delivery.mode != "full":
        return _increments(table, export, batches)
    return _parts(table, export, batches) if export.parts else _wholes(table, export, batches)


def _never_loaded(table: Table, batches: list[Batch]) -> list[Batch]:
    """Return the batches whose content was never loaded; one without a fingerprint always counts."""
    loaded = table.log.loaded(table.name).fingerprints
    return [
        batch
        for batch in batches
        if not batch.fingerprint or loaded.get(batch.name) != batch.fingerprint
    ]


def _increments(table: Table, export: Export, batches: list[Batch]) -> Pending:
    """Return what was never loaded, and after a file that comes late, the newer ones once more.

    The newest load that has a key wins, so the versions of a late file must not be the last.
    """
    fresh = _never_loaded(table, batches)
    if not fresh:
        return Pending([])
    loaded = table.log.loaded(table.name).fingerprints
    is_late = any(batch.name not in loaded for batch in fresh)
    groups = _groups(export, batches if is_late and not _has_column(export) else fresh, loaded)
    names = {batch.name for batch in fresh}
    late = names - loaded.keys()
    first = next((place for place, group in enumerate(groups) if late & {*group.names}), None)
    names |= {
        name
        for place, group in enumerate(groups)
        if first is not None and place > first
        for name in group.names
    }
    return Pending([_round(batches, groups, names)], _outdated(table, export, batches, late))


def _outdated(table: Table, export: Export, batches: list[Batch], late: set[str]) -> list[str]:
    """Return what is said of late files, of which a newer one is loaded and gone: their rows hold."""
    loaded = table.log.loaded(table.name)
    gone = loaded.fingerprints.keys() - {batch.name for batch in batches}
    if not late or not gone or _has_column(export):
        return []
    ghosts = [Delivery(name, loaded.file_times.get(name)) for name in gone]
    shown = {batch.name: batch.shown for batch in batches if batch.name in late}
    groups = _groups(export, [batch for batch in batches if batch.name in late], (), ghosts)
    last = max((n for n, group in enumerate(groups) if gone & {*group.names}), default=-1)
    return [
        f"{shown[name]} is older than files that were loaded and are gone; where they differ, it holds"
        for group in groups[:last]
        if len(group.names) == 1
        for name in group.names
        if name in shown
    ]


def _parts(table: Table, export: Export, batches: list[Batch]) -> Pending:
    """Return all files, if one is new, changed or gone since the newest load, or said to be gone for good."""
    is_loaded = {batch.name: batch.fingerprint for batch in batches} == table.log.loaded(
        table.name
    ).last
    if is_loaded and not acceptance.may_delete(table.client.id, table.log.source, table.name):
        return Pending([])
    groups = _groups(export, batches)
    return Pending([_round(batches, groups, {batch.name for batch in batches})])


def _wholes(table: Table, export: Export, batches: list[Batch]) -> Pending:
    """Return the files that are newer than the one that was loaded last, each a round of its own."""
    loaded = table.log.loaded(table.name)
    were_together = len(loaded.last) > 1
    if were_together and export.parts is None:
        raise Undecided
    fresh = {batch.name for batch in _never_loaded(table, batches)}
    if not fresh and not were_together:
        return Pending([])
    by_name = {batch.name: batch for batch in batches}
    last = {name for name, said in loaded.last.items() if _says(by_name.get(name), said)}
    relevant = [batch for batch in batches if batch.name in fresh | last]
    groups = _with_gone(table, export, relevant, by_name.keys() | loaded.fingerprints.keys())
    known = last | (loaded.last.keys() - by_name.keys())
    place = max((n for n, group in enumerate(groups) if known & {*group.names}), default=-1)
    if len({by_name[name].content for name in groups[-1].names if name in by_name}) > 1:
        raise _untold(export, by_name, groups[-1])
    newer = [by_name[name] for group in groups[place + 1 :] for name in group.names]
    notes = [
        f"{by_name[name].shown} is older than what was loaded, and changes nothing"
        for group in groups[: place + 1]
        for name in group.names
        if name in fresh and by_name[name].fingerprint not in loaded.last.values()
    ]
    rounds = [Round([batch], file_count=len(batches)) for batch in newer]
    if were_together and place >= 0:
        newest = by_name[next(name for name in groups[place].names if name in last)]
        rounds.insert(0, Round([newest], is_settled=True))
    return Pending(rounds, notes)


def newest(table: Table, batches: list[Batch]) -> Batch | None:
    """Return the newest of a full export's files; None if it cannot be told."""
    export = table.export
    group = _groups(export, batches)[-1] if export else Group([])
    return next((each for each in batches if [each.name] == group.names), None)


def all_in_order(table: Table, batches: list[Batch]) -> list[Batch]:
    """Return batches in their own order, oldest first; what is not told apart stays as it is."""
    export = table.export
    if not export or not export.files:
        return batches
    groups = _groups(export, batches, table.log.loaded(table.name).fingerprints)
    return _round(batches, groups, {batch.name for batch in batches}).batches


def _says(batch: Batch | None, fingerprint: str) -> bool:
    return batch is not None and batch.fingerprint == fingerprint


def _with_gone(
    table: Table, export: Export, batches: list[Batch], others: Iterable[str]
) -> list[Group]:
    """Return the batches in order, with the file that was loaded last, if it is gone since.

    One of which the log does not know when it was written, and whose name tells no time, is older.
    """
    loaded = table.log.loaded(table.name)
    present = {batch.name for batch in batches}
    gone = [Delivery(name, loaded.file_times.get(name)) for name in loaded.last.keys() - present]
    if len(loaded.last) == 1 and gone and not _has_column(export):
        groups = _groups(export, batches, others, gone)
        if all(len(group.names) == 1 for group in groups):
            return groups
    return _groups(export, batches, others)


def _groups(
    export: Export,
    batches: list[Batch],
    others: Iterable[str] = (),
    gone: Iterable[Delivery] = (),
) -> list[Group]:
    """Return batches in their own order, oldest first."""
    deliveries = [_delivery(export, batch) for batch in batches]
    folder = re.split(r"[*?\[]", export.pattern)[0].rpartition("/")
    try:
        return in_order([*deliveries, *gone], export.ordered_by, "".join(folder[:2]), others)
    except OrderError as error:
        raise ExportError(str(error), remedies=[by_file_times(), by_names()]) from None


def _delivery(export: Export, batch: Batch) -> Delivery:
    time = batch.column_time() if batch.column_time and _has_column(export) else None
    return Delivery(batch.name, batch.file_time, time)


def _has_column(export: Export) -> bool:
    return isinstance(export.ordered_by, DeliveryOrder) and bool(export.ordered_by.column)


def _round(batches: list[Batch], groups: list[Group], names: set[str]) -> Round:
    """Return the batches of these names, in the order of their groups."""
    by_name = {batch.name: batch for batch in batches}
    ordered = [by_name[name] for group in groups for name in group.names if name in names]
    return Round(ordered, [group for group in groups if len(names & {*group.names}) > 1])


def _untold(export: Export, batches: dict[str, Batch], group: Group) -> ExportError:
    """Return the error that of whole deliveries the newest cannot be told."""
    shown = " and ".join(batches[name].shown for name in group.names if name in batches)
    parts = Remedy("parts: true", meaning="they are parts of one delivery")
    return ExportError(
        f"which of {shown} is the newest delivery cannot be told: {group.why}",
        remedies=group.orders + [parts] * (export.parts is None),
    )
