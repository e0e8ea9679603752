"""Sign in to a Salesforce org, and read the pages of a query."""

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from dlt.sources.helpers.rest_client import RESTClient
from requests import Response

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.batches import FetchRequest
from pipelines.sources.credentials import credentials, keep_secret
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms.page_circles import ending
from pipelines.sources.platforms.salesforce_errors import refusal
from pipelines.sources.platforms.salesforce_objects import Query
from pipelines.sources.rest import Token, connect


class Session(NamedTuple):
    """What an org gives who signs in: a token, the address where it is used, and the org's id.

    `issued_at` is when that was, by the org's own clock; None if it does not say.
    """

    token: str
    address: str
    org: str
    issued_at: datetime | None = None


def signed_in(request: FetchRequest, api: SalesforceApi) -> RESTClient:
    """Return the org, at the address that it names. Raise PlatformError if it gives no session."""
    return org_of(request.client.id, api, request.until)


def org_of(
    client: str, api: SalesforceApi, until: datetime, session: Session | None = None
) -> RESTClient:
    """Return a client's org, asked patiently until a moment. Raise PlatformError without a session."""
    sign_in = partial(session_of, client, api, until)
    session = session or sign_in()
    tokens = [session.token]
    return connect(
        f"{session.address}/services/data/{api.version}",
        until,
        refusal,
        Token(lambda: tokens.pop() if tokens else sign_in().token),
    )


def session_of(client: str, api: SalesforceApi, until: datetime) -> Session:
    """Sign in for a client, retrying until a moment. Raise PlatformError without a session."""
    secrets = credentials(client, "salesforce", "client_id", "client_secret")
    door = connect(api.base_url, until, refusal)
    return _session(door, {"grant_type": "client_credentials"} | secrets)


def _session(door: RESTClient, form: dict[str, str]) -> Session:
    answer = door.post("services/oauth2/token", data=form).json()
    session = answer if isinstance(answer, dict) else {}
    token, address = (str(session.get(key) or "") for key in ("access_token", "instance_url"))
    if not (token and address):
        raise malformed("a session without access_token or instance_url")
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise PlatformError(
            "request_refused",
            f"the org names an address that is not private, {parts.scheme}://{parts.hostname};"
            " have its administrator name one that begins with https://",
        )
    org = urlsplit(str(session.get("id") or "")).path.removeprefix("/id/").partition("/")[0]
    return Session(keep_secret(token), address.rstrip("/"), org, _issued(session))


def _issued(session: dict) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(session["issued_at"]) / 1000, timezone.utc)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None


def _address(org: RESTClient, path: str) -> str:
    parts = urlsplit(org.base_url)
    return f"{parts.scheme}://{parts.netloc}{path}"


def malformed(what: str) -> PlatformError:
    """Return the error that an answer is not what was asked for."""
    return PlatformError("malformed_answer", f"Salesforce answers {what}; the next run tries again")


def records_of(org: RESTClient, query: Query, soql: str) -> Iterator[list[dict]]:
    """Return the records of a query, deleted ones too, page by page; none is empty."""
    return ending("Salesforce", _pages(org, query, soql))


def _pages(org: RESTClient, query: Query, soql: str) -> Iterator[list[dict]]:
    records, more = _page(org.get("queryAll", params={"q": soql}))
    if records:
        _check_names(records[0], query)
    while records:
        yield records
        records, more = _page(org.get(_address(org, more))) if more else ([], "")


def _page(response: Response) -> tuple[list[dict], str]:
    """Return a page's records, every number as it is written, and the path of the next page."""
    answer = response.json(parse_float=str)
    try:
        records, more = answer["records"], "" if answer["done"] else answer["nextRecordsUrl"]
        is_page = isinstance(records, list) and (
            answer["done"] or (records and more.startswith("/services/data/"))
        )
    except (LookupError, TypeError, AttributeError):
        is_page = False
    if not is_page:
        raise malformed("a page without records or without an end")
    return records, more


def _check_names(record: dict, query: Query) -> None:
    """Raise PlatformError if a field is written otherwise: SOQL ignores case, JSON does not."""
    if names := {field.partition(".")[0] for field in query.fields} - record.keys():
        raise PlatformError(
            "request_refused",
            f"{query.entity} has no field that is written {', '.join(sorted(names))};"
            " write it under `columns:` as Salesforce does, capitals included",
            account=True,
        )
