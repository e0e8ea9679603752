"""Ask Salesforce for what changed since it was last asked, table by table, over its REST interface.

Every record carries SystemModstamp, the moment of its last change by anybody. It is asked
for and kept as the cursor, but it is no column: a changed moment alone is no new version.

Values that come from elsewhere change without it: `salesforce_calculated` reads those again.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dlt.sources.helpers.rest_client import RESTClient

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.batches import Batch, Coverage, FetchRequest
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms.responses import written
from pipelines.sources.platforms.salesforce_calculated import has_calculated, parents
from pipelines.sources.platforms.salesforce_objects import Query, query_of
from pipelines.sources.platforms.salesforce_rest import records_of, signed_in
from pipelines.sources.platforms.salesforce_resumed import iso, resumed

DELIVERY = "increment"
OVERLAP = timedelta(minutes=5)  # a record may be committed this much later than its SystemModstamp
ROWS = 20_000  # of a batch: those that wait in memory
BEGINNING = "1970-01-01T00:00:00.000Z"


def fetch(request: FetchRequest, api: SalesforceApi) -> Iterator[Batch]:
    """Yield what changed in every table. Raise PlatformError where Salesforce does not answer.

    A table that may not be read leaves the others alone: its PlatformError is raised at the end.
    """
    yield from _tables(request, signed_in(request, api), api, api.tables)


def beside(
    request: FetchRequest, org: RESTClient, api: SalesforceApi, table: str
) -> Iterator[Batch]:
    """Yield what changed in the tables beside one, as the people and roles of deals; raise like `fetch`."""
    yield from _tables(request, org, api, [each for each in api.tables if each != table])


def _tables(
    request: FetchRequest, org: RESTClient, api: SalesforceApi, tables: Iterable[str]
) -> Iterator[Batch]:
    errors, since = [], _since(request, api)
    for table in tables:
        read = _history if request.since else _news
        try:
            yield from read(request, org, table, query_of(table, api), since)
        except PlatformError as error:
            if not error.account:
                raise
            errors.append(error)
    if errors:
        raise PlatformError(errors[0].code, "; ".join(map(str, errors)))


def missing(request: FetchRequest, api: SalesforceApi) -> list[date]:
    """Return no days: what changed is asked for from the last change that the lake has."""
    return []


def _news(
    request: FetchRequest, org: RESTClient, table: str, query: Query, since: str
) -> Iterator[Batch]:
    """Yield what changed in a table, marked by SystemModstamp or not.

    Records of a parent that changed come first: what is marked moves the moment that both are asked
    from. What is calculated comes last, once a night: if it fails, the rest is there.
    """
    newest = _newest(_covered(request, table, query))
    start = iso(datetime.fromisoformat(newest) - OVERLAP) if newest else since
    if newest:
        for parent in parents(query):
            condition = f"{parent}.SystemModstamp >= {start}"
            yield _unmarked(request, org, table, query, since, start, parent, condition)
    yield from _changes(request, org, table, query, start)
    if newest and not request.is_poll and has_calculated(org, query):
        yield _unmarked(request, org, table, query, since, start, "calculated")


def _unmarked(
    request: FetchRequest,
    org: RESTClient,
    table: str,
    query: Query,
    since: str,
    start: str,
    name: str,
    *conditions: str,
) -> Batch:
    """Return records that are not marked as changed since a moment; they have other values, or may have."""

    def ask(moment: str) -> Iterator[list[dict]]:
        marked = [f"SystemModstamp >= {moment}", f"SystemModstamp < {start}"]
        return records_of(org, query, query.soql(" AND ".join([*marked, *conditions]), "ASC"))

    def further(moment: str, seen: list[str]) -> str:
        return max([moment, *seen])

    pages = (page for page, _ in resumed(ask, further, since))
    return _batch(request, table, query, Coverage(name, start, start), pages)


def _changes(
    request: FetchRequest, org: RESTClient, table: str, query: Query, start: str
) -> Iterator[Batch]:
    """Yield what is marked as changed since a moment, the oldest first.

    A batch that ends at a moment where an earlier one ended gets its name: if it brings nothing
    new, nothing is committed. Only moments before the run count as seen: a record that is changed
    while it is read shows a later one than those that are still to come.
    """
    covered, now = _covered(request, table, query), iso(request.now)
    ends = {covers.last: covers for covers in covered}
    newest = _newest(covered)

    def ask(moment: str) -> Iterator[list[dict]]:
        return records_of(org, query, query.soql(f"SystemModstamp >= {moment}", "ASC"))

    def further(moment: str, seen: list[str]) -> str:
        return max([moment, *(one for one in seen if one <= now)])

    for first, last, pages, is_last in _parts(ask, further, start):
        last = max(last, newest) if is_last else last
        if pages:
            covers = ends.get(last, Coverage(query.account, first, last))
            yield _batch(request, table, query, covers, pages)


def _history(
    request: FetchRequest, org: RESTClient, table: str, query: Query, since: str
) -> Iterator[Batch]:
    """Yield what changed since a day, up to what the lake has, the newest first."""
    covered = _covered(request, table, query)
    start = min((covers.first for covers in covered), default=iso(request.now))
    if start <= since:
        return

    def ask(moment: str) -> Iterator[list[dict]]:
        condition = f"SystemModstamp >= {since} AND SystemModstamp <= {moment}"
        return records_of(org, query, query.soql(condition, "DESC"))

    def further(moment: str, seen: list[str]) -> str:
        return min([moment, *seen])

    for last, first, pages, is_last in _parts(ask, further, start):
        covers = Coverage(query.account, since if is_last else first, last)
        yield _batch(request, table, query, covers, pages)


def _parts(
    ask: Callable[[str], Iterator[list[dict]]],
    further: Callable[[str, list[str]], str],
    start: str,
) -> Iterator[tuple[str, str, list[list[dict]], bool]]:
    """Yield the pages of a batch: from which moment, up to which, and if they are the last.

    What was answered before an error is yielded, too, if it leads on.
    """
    reached, pages = start, []
    try:
        for page, moment in resumed(ask, further, start):
            pages.append(page)
            reached = moment
            if reached != start and sum(map(len, pages)) >= ROWS:
                yield start, reached, pages, False
                start, pages = reached, []
    except PlatformError:
        if reached != start:
            yield start, reached, pages, False
        raise
    yield start, reached, pages, True


def _batch(
    request: FetchRequest, table: str, query: Query, covers: Coverage, pages: Iterable[list[dict]]
) -> Batch:
    """Return a batch without a fingerprint: what was asked for twice is looked at twice."""
    batch = written(request.folder, "salesforce", table, covers, pages, query.columns)
    return batch._replace(fingerprint="")


def _covered(request: FetchRequest, table: str, query: Query) -> list[Coverage]:
    covered = [one._replace(account=one.account or "") for one in request.coverage.get(table, [])]
    return _without(request.again.get(table, []), query, covered)


def _without(again: Iterable[Coverage], query: Query, covered: list[Coverage]) -> list[Coverage]:
    """Return what the lake has of a table's own changes, less all since the first that is to come again.

    A record that came without a mark, as its parent changed, may be marked by any earlier moment.
    """
    since = min((one.first if one.account == query.account else "" for one in again), default=None)
    own = [one for one in covered if one.account == query.account]
    return own if since is None else [one for one in own if one.last <= since]


def _newest(covered: list[Coverage]) -> str:
    """Return the moment up to which nothing is missing; what lies behind a gap is fetched again."""
    newest = ""
    for covers in sorted(covered):
        if newest and covers.first > newest:
            break
        newest = max(newest, covers.last)
    return newest


def _since(request: FetchRequest, api: SalesforceApi) -> str:
    """Return the first moment that is asked for: midnight of a day, in the client's time zone."""
    day = date.fromisoformat(request.since) if request.since else api.since
    if not day:
        return BEGINNING
    return iso(datetime.combine(day, time(), ZoneInfo(request.client.timezone)))
