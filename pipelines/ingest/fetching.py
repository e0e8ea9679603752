"""Say what is fetched for a client now: what the lake lacks, and how long errors are waited out."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.source_log import SourceLog
from pipelines.settings.client import Client
from pipelines.sources.batches import FetchRequest

POLL_PATIENCE = timedelta(minutes=1)  # who polls comes again, and is not to keep others from it


def fetch_request(
    client: Client, log: SourceLog, folder: Path, since: str = "", is_poll: bool = False
) -> FetchRequest:
    """Return what is to be fetched now, given what the lake has."""
    coverage = {table: log.loaded(table).coverage for table in CONTRACTS[log.source]}
    known = {table: [*log.loaded(table).last] for table in CONTRACTS[log.source]}
    now = datetime.now(timezone.utc)
    until = _patient_until(client, now)
    until = min(until, now + POLL_PATIENCE) if is_poll else until
    return FetchRequest(client, coverage, now, until, folder, since, known=known, is_poll=is_poll)


def _patient_until(client: Client, now: datetime) -> datetime:
    """Return until when a source's errors are waited out: never past the client's deadline."""
    return min(now + timedelta(minutes=client.patience_minutes), client.deadline_after(now))
