"""Bring what a notice is about into the client's lake, like any load."""

from pipelines.ingest.commit import bring_in
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.run import ingest_source
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.append import alone, scratch
from pipelines.settings.apis import SalesforceApi
from pipelines.settings.client import Client
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms.salesforce_records import records_by_id
from pipelines.sources.platforms.salesforce_rest import signed_in
from pipelines.stream.notices import Brought, Notice

SOURCE, TABLE = "salesforce", "opportunities"


def bring(client: Client, api: SalesforceApi | None, notice: Notice) -> Brought:
    """Append what is new of a notice. Raise PlatformError, or ExportError, if it cannot be had.

    A record that is there already in this very version is not appended again: a notice that is told
    twice changes nothing.
    """
    if notice.is_everything or not api:
        outcome = ingest_source(client, SOURCE, is_poll=True)
        if outcome.status.code not in ("ok", "stale"):
            raise PlatformError("connection_cut", outcome.problem, passes=True)
        return Brought(outcome.counts, outcome.status.notes)
    if not notice.ids:
        return Brought()
    with alone(client.id, SOURCE), scratch(client.id, SOURCE) as folder:
        log = SourceLog(client.id, SOURCE)
        request = fetch_request(client, log, folder)
        org = signed_in(request, api)
        batch = records_by_id(request, org, api, TABLE, notice.ids, notice.place)
        loaded = bring_in(client, log, {TABLE: [batch]}, folder)
    return Brought(loaded.counts, loaded.notes)
