"""Find what an export holds: files in the project, objects in a bucket, a table in Postgres."""

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.files import buckets, postgres
from pipelines.sources.files import event_sessions as events
from pipelines.sources.files import reading as files


def contract_of(source: str, table: str, feed: object) -> Contract:
    """Return what a table must deliver; sessions that are made of events say a little more."""
    is_events = isinstance(feed, Export) and feed.format
    return events.CONTRACT if is_events else CONTRACTS[source][table]


def batches(asking: FetchRequest, source: str, table: str) -> list[Batch]:
    """Return an export's batches. Raise ExportError if there is none, PlatformError if nobody answers."""
    export = asking.client.sources.of(source)[table]
    contract = contract_of(source, table, export)
    if export.postgres:
        return postgres.batches(asking, source, table, export, contract)
    if export.in_bucket:
        return buckets.batches(asking, source, table, export, contract)
    return files.batches(export, table, contract)
