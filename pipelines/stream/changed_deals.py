"""Bring what a notice is about into the client's lake, like any load."""

from datetime import datetime, timezone
from pathlib import Path

from dlt.sources.helpers.rest_client import RESTClient

from pipelines.ingest.commit import bring_in
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.run import ingest_source
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.source_status import Status
from pipelines.ingest.table import Table
from pipelines.lake.append import alone, scratch
from pipelines.settings.apis import SalesforceApi
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.deliveries import delivery_of
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms import salesforce
from pipelines.sources.platforms.salesforce_records import records_by_id
from pipelines.sources.platforms.salesforce_rest import signed_in
from pipelines.stream.notices import Brought, Notice
from pipelines.stream.ways import SOURCE
from pipelines.stream.withdrawn_deals import withdrawn

TABLE = "opportunities"


def bring(client: Client, api: SalesforceApi | None, notice: Notice) -> Brought:
    """Append what is new of a notice. Raise PlatformError, or ExportError, if it cannot be had.

    A record that is there already in this very version is not appended again: a notice that is told
    twice changes nothing. Files that are refused are told, not tried again: they wait to be
    delivered anew.
    """
    if notice.is_everything or not api:
        return _everything(client)
    if not notice.ids:
        return Brought()
    with alone(client.id, SOURCE), scratch(client.id, SOURCE) as folder:
        log = SourceLog(client.id, SOURCE)
        request = fetch_request(client, log, folder, is_poll=True)
        org = signed_in(request, api)
        found: set[str] = set()
        batch = records_by_id(request, org, api, TABLE, notice.ids, notice.place, found.add)
        table = Table(client, TABLE, delivery_of(client, SOURCE, TABLE), log)
        purged = withdrawn(table, sorted({*notice.gone} - found), notice.place)
        notes = _bring_beside(client, log, request, org, api, folder)
        deals = [batch, *([purged] if purged else [])]
        loaded = bring_in(client, log, {TABLE: deals}, folder)
    return Brought(loaded.counts, [*notes, *loaded.notes])


def _bring_beside(
    client: Client,
    log: SourceLog,
    request: FetchRequest,
    org: RESTClient,
    api: SalesforceApi,
    folder: Path,
) -> list[str]:
    """Append what changed in the tables beside the deals: an account's journeys go by people and roles.

    What cannot be had waits for the next event, or run: the deals do not wait for it.
    """
    batches: dict[str, list[Batch]] = {}
    notes = []
    try:
        for batch in salesforce.beside(request, org, api, TABLE):
            batches.setdefault(batch.table, []).append(batch)
    except PlatformError as error:
        notes.append(f"people and roles beside deals wait: {error}")
    return [*notes, *bring_in(client, log, batches, folder).notes]


def _everything(client: Client) -> Brought:
    outcome = ingest_source(client, SOURCE, is_poll=True)
    status = outcome.status
    if status.code == "refused":
        return Brought(outcome.counts, [f"halted: {outcome.problem}"])
    if status.code not in ("ok", "stale"):
        raise PlatformError(
            "connection_cut", outcome.problem, passes=True, retry_after=_seconds_until_asked(status)
        )
    return Brought(outcome.counts, status.notes)


def _seconds_until_asked(status: Status) -> float | None:
    """Return after how many seconds a platform is to be asked again, where it says so."""
    if not status.retry_at:
        return None
    moment = datetime.fromisoformat(status.retry_at).replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
