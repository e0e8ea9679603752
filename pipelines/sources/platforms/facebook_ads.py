"""Ask Facebook Ads for spend by day and ad: Insights, at once or as a report that is waited for."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from time import sleep
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from dlt.sources.helpers.rest_client import RESTClient
from requests import Response
from tenacity import RetryError, Retrying, retry_if_result, wait_exponential

from pipelines.settings.apis import FacebookAdsApi
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.credentials import credentials
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms import days
from pipelines.sources.platforms.days import DAY, Span
from pipelines.sources.platforms.expired_versions import or_no_version, other_version
from pipelines.sources.platforms.facebook_errors import TooMuch, malformed, refused, usage
from pipelines.sources.platforms.page_circles import ending
from pipelines.sources.platforms.responses import text, zero_if_absent
from pipelines.sources.rest import Token, connect, seconds_until
from pipelines.sql import literal

DELIVERY = "days"
Kind = TypeVar("Kind")

DAYS_AT_ONCE = 7
PAGE_ROWS = "500"
NEARLY_USED_UP = 95

FIELDS = """account_id,account_currency,campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,
spend,clicks,impressions,actions""".replace("\n", "")

COLUMNS = {
    "spend_date": text("date_start"),
    "account_id": text("account_id"),
    "campaign_id": text("campaign_id"),
    "campaign": text("campaign_name"),
    "ad_group_id": text("adset_id"),
    "ad_group": text("adset_name"),
    "ad_id": text("ad_id"),
    "ad": text("ad_name"),
    "cost": text("spend"),
    "currency": text("account_currency"),
    "clicks": zero_if_absent("clicks"),
    "impressions": zero_if_absent("impressions"),
}


def fetch(request: FetchRequest, api: FacebookAdsApi) -> Iterator[Batch]:
    """Yield the spend of every account, span by span. Raise PlatformError where none comes."""
    secrets = credentials(request.client.id, "facebook_ads", "access_token")
    graph = connect(
        f"{api.base_url}/{api.version}",
        request.until,
        or_no_version("facebook_ads", api.version, refused),
        Token(lambda: secrets["access_token"]),
    )
    graph.session.hooks["response"].append(partial(_compare_versions, request, api.version))
    report = partial(_report, graph, request.until)
    yield from days.by_days(request, api, "facebook_ads", api.accounts, report, _columns(api))


def missing(request: FetchRequest, api: FacebookAdsApi) -> list[date]:
    """Return the days that the lake lacks of any account."""
    return sorted({day for one in api.accounts for day in days.missing(request, api, one)})


def _compare_versions(request: FetchRequest, asked: str, answer: Response, **_: object) -> None:
    """Warn where Facebook answers in another version than it is asked: it raises old ones silently."""
    if said := other_version("facebook_ads", asked, answer):
        request.warn(said)


def _columns(api: FacebookAdsApi) -> dict[str, str]:
    """Return the columns: conversions are the actions of the kinds that the client counts.

    A value that is no number is shown as it is, so that its row goes to quarantine.
    """
    counted = ", ".join(literal(kind) for kind in api.conversions) or "NULL"
    shape = """'[{"action_type": "VARCHAR", "value": "VARCHAR"}]'"""
    values = f"""LIST_TRANSFORM(LIST_FILTER(
      FROM_JSON(answer->'$.actions', {shape}), lambda one: one.action_type IN ({counted})
    ), lambda one: one.value)"""
    number = "TRY_CAST(value AS DECIMAL(18, 6))"
    numbers = f"LIST_TRANSFORM({values}, lambda value: {number})"
    broken = f"LIST_FILTER({values}, lambda value: {number} IS NULL)[1]"
    return COLUMNS | {"conversions": f"COALESCE({broken}, LIST_SUM({numbers})::TEXT, '0')"}


def _report(graph: RESTClient, until: datetime, account: str, span: Span) -> Iterator[list[dict]]:
    """Yield the rows of an account's days, in pages; halve what is too much for one answer."""
    ask = _at_once if len(span.days) <= DAYS_AT_ONCE else _by_job
    try:
        yield from ask(graph, until, account, span)
    except TooMuch:
        middle = span.first + (span.last - span.first) // 2
        if span.first == span.last:
            yield from _by_job(graph, until, account, span)
        else:
            yield from _report(graph, until, account, Span(span.first, middle))
            yield from _report(graph, until, account, Span(middle + DAY, span.last))


def _at_once(graph: RESTClient, until: datetime, account: str, span: Span) -> list[list[dict]]:
    """Return all pages or none: the last of them may be too much, too."""
    pages = _pages(graph, until, f"act_{account}/insights", _parameters(span))
    return list(ending("Facebook", pages))


def _by_job(graph: RESTClient, until: datetime, account: str, span: Span) -> list[list[dict]]:
    """Return all pages of a report that Facebook prepares; retry one that fails once."""
    path, parameters = f"act_{account}/insights", _parameters(span)
    run = _prepared(graph, until, path, parameters) or _prepared(graph, until, path, parameters)
    if not run:
        reason = f"Facebook's report of {span.first} to {span.last} failed twice"
        raise PlatformError("platform_down", f"{reason}; the next run tries again", account=True)
    return list(ending("Facebook", _pages(graph, until, f"{run}/insights", {})))


def _parameters(span: Span) -> dict[str, str]:
    return {
        "level": "ad",
        "time_increment": "1",
        "time_range": json.dumps({"since": str(span.first), "until": str(span.last)}),
        "fields": FIELDS,
    }


def _prepared(
    graph: RESTClient, until: datetime, path: str, parameters: dict[str, str]
) -> str | None:
    """Return the report to read, once it is ready; None if it failed.

    Raise PlatformError if it is not ready in time.
    """
    run = _value(graph.post(path, data=parameters), "report_run_id", str)
    if not run.isdigit():  # it is a part of the next address, which is sent the token
        raise malformed("report_run_id")
    polls = Retrying(
        retry=retry_if_result(lambda status: status not in _ENDED),
        wait=wait_exponential(multiplier=0.1, max=30),
        stop=lambda state: state.upcoming_sleep > seconds_until(until),
        sleep=sleep,
    )
    try:
        status = polls(lambda: _status(graph.get(run)))
    except RetryError:
        reason = "Facebook's report is not ready in the time that patience_minutes leave"
        raise PlatformError("platform_down", f"{reason}; the next run tries again") from None
    return run if status == "Job Completed" else None


_ENDED = ("Job Completed", "Job Failed", "Job Skipped")


def _status(answer: Response) -> str:
    """Return the state of a report; one that is reported complete may still be at 99 percent."""
    status = _value(answer, "async_status", str)
    is_ready = answer.json().get("async_percent_completion", 100) == 100
    return "Job Running" if status == "Job Completed" and not is_ready else status


def _pages(
    graph: RESTClient, until: datetime, path: str, parameters: dict[str, str]
) -> Iterator[list[dict]]:
    """Yield pages as long as there is a next one.

    Of its address only the query counts, without the token: ours is in a header, for our host.
    """
    parameters = parameters | {"limit": PAGE_ROWS}
    while True:
        answer = graph.get(path, params=parameters)
        if usage(answer) >= NEARLY_USED_UP:
            sleep(max(0.0, min(5.0, seconds_until(until) / 10)))
        yield _value(answer, "data", list)
        paging = answer.json().get("paging")
        if not (isinstance(paging, dict) and paging.get("next")):
            return
        parameters = parameters | dict(parse_qsl(urlsplit(str(paging["next"])).query))
        parameters.pop("access_token", None)


def _value(answer: Response, key: str, kind: type[Kind]) -> Kind:
    body = answer.json()
    if isinstance(body, dict) and isinstance(value := body.get(key), kind):
        return value
    raise malformed(key)
