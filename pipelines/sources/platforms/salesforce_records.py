"""Ask Salesforce for records by their ids, as they are now, and for the ids of those that changed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice

from dlt.sources.helpers.rest_client import RESTClient

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.batches import Batch, Coverage, FetchRequest
from pipelines.sources.platforms.responses import written
from pipelines.sources.platforms.salesforce_objects import Query, query_of
from pipelines.sources.platforms.salesforce_rest import records_of

AT_ONCE = 200  # ids of one query: its address stays below 16,000 characters


def changed_since(org: RESTClient, moment: datetime) -> set[tuple[str, str]]:
    """Return the deals that changed since a moment, deleted ones too: their ids and stamps."""
    query = Query("Opportunity", ["Id", "SystemModstamp"], {}, "")
    stamp = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    pages = records_of(org, query, query.soql(f"SystemModstamp >= {stamp}", "ASC"))
    return {(one["Id"], str(one["SystemModstamp"])) for page in pages for one in page}


def records_by_id(
    request: FetchRequest,
    org: RESTClient,
    api: SalesforceApi,
    table: str,
    ids: Sequence[str],
    place: str,
    came: Callable[[str], None] = lambda id_: None,
) -> Batch:
    """Return the records of these ids, deleted ones too, as a batch that is named after `place`.

    What it covers is told as an account of its own, so that asking for all that changed goes on
    where it was. `came` hears the id of each record that there is.
    """
    query = query_of(table, api)
    covers = Coverage("events", place, place)
    pages = _heard(_pages(org, query, ids), came)
    batch = written(request.folder, "salesforce", table, covers, pages, query.columns)
    return batch._replace(fingerprint="")


def _heard(pages: Iterable[list[dict]], came: Callable[[str], None]) -> Iterator[list[dict]]:
    for page in pages:
        for record in page:
            came(record["Id"])
        yield page


def _pages(org: RESTClient, query: Query, ids: Iterable[str]) -> Iterator[list[dict]]:
    left = iter(dict.fromkeys(ids))
    while some := [*islice(left, AT_ONCE)]:
        listed = ", ".join(f"'{one}'" for one in some)
        yield from records_of(org, query, query.soql(f"Id IN ({listed})", "ASC"))
