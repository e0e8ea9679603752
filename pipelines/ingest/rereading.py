"""Say which files are read again: those of a table whose settings say now that they read otherwise."""

from pipelines.ingest import readings
from pipelines.ingest.pending import Pending, Round, all_in_order
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.deliveries import delivery_of

# A change of these says how files go together: what it deletes waits for a person's word, as ever.
_TOGETHER = ("delivery", "parts", "ordered_by")


def with_rereads(
    table: Table, batches: list[Batch], waiting: Pending, is_asked: bool = False
) -> Pending:
    """Return what is pending, and what is read again: because it `is_asked`, or is read otherwise.

    Increments are read again all at once, together with what is new. Of full deliveries the newest
    that was loaded is read again, before those that follow; parts are read together anyway.
    """
    again = readings.changed(table, batches)
    if not table.export or not (again or (is_asked and batches)):
        return waiting
    if table.delivery.mode != "full" or not table.export.files:
        untold = [group for round_ in waiting.rounds for group in round_.untold]
        return Pending([Round(all_in_order(table, batches), untold, again=again)], waiting.notes)
    if table.export.parts:
        ordered = all_in_order(table, batches)
        is_settled = not waiting.rounds and _is_settled(table, again)
        return Pending([Round(ordered, [], len(ordered), is_settled, again)], waiting.notes)
    return Pending([*_newest(table, batches, again), *waiting.rounds], waiting.notes)


def from_the_start(request: FetchRequest, log: SourceLog, is_asked: bool) -> FetchRequest:
    """Return a request that reads tables in Postgres whole again, if it `is_asked` or they changed."""
    client, coverage = request.client, dict(request.coverage)
    for name in client.sources.of(log.source):
        table = Table(client, name, delivery_of(client, log.source, name), log)
        if table.export and table.export.postgres and (is_asked or readings.is_changed(table)):
            coverage[name] = []
    return request._replace(coverage=coverage)


def _newest(table: Table, batches: list[Batch], again: dict[str, str]) -> list[Round]:
    """Return the round of the full delivery that was loaded last, if it is still there."""
    last = table.log.loaded(table.name).last
    there = [batch for batch in batches if last.get(batch.name, "") == batch.fingerprint]
    before = {name: reading for name, reading in again.items() if name in last}
    settled = _is_settled(table, before)
    return [Round(there, [], len(batches), settled, before)] if there else []


def _is_settled(table: Table, again: dict[str, str]) -> bool:
    """Return whether only the meaning of bytes has changed: then the client's file has decided."""
    now = readings.reading_of(table)
    said = " ".join(readings.difference(before, now) for before in again.values())
    return not any(f"{name}:" in said for name in _TOGETHER)
