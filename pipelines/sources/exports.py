"""Find what an export holds: files in the project, objects in a bucket, a table in Postgres."""

from pipelines.contracts import CONTRACTS, Contract
from pipelines.settings.exports import Export
from pipelines.sources import buckets, events, files, postgres
from pipelines.sources.pieces import Asking, Piece


def contract_of(source: str, table: str, feed: object) -> Contract:
    """Return what a table must deliver; sessions that are made of events say a little more."""
    is_events = isinstance(feed, Export) and feed.format
    return events.CONTRACT if is_events else CONTRACTS[source][table]


def pieces(asking: Asking, source: str, table: str) -> list[Piece]:
    """Return an export's pieces. Raise ExportError if there is none, Trouble if nobody answers."""
    export = asking.client.sources.of(source)[table]
    contract = contract_of(source, table, export)
    if export.postgres:
        return postgres.pieces(asking, source, table, export, contract)
    if export.in_bucket:
        return buckets.pieces(asking, source, table, export, contract)
    return files.pieces(export, table, contract)
