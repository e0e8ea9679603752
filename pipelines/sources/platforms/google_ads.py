"""Ask Google Ads for spend by day and ad group, over its REST interface.

Performance Max campaigns have no ad groups: their spend is asked for by campaign.
"""

import time
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path

from dlt.sources.helpers.rest_client import RESTClient
from requests import Response

from pipelines.settings.apis import GoogleAdsApi
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.credentials import credentials
from pipelines.sources.errors import PlatformError
from pipelines.sources.platforms import days
from pipelines.sources.platforms.days import Span
from pipelines.sources.platforms.expired_versions import or_no_version
from pipelines.sources.platforms.google_errors import (
    malformed,
    named_error,
    no_token,
    quota_used_up,
    refused,
)
from pipelines.sources.platforms.quotas import shared_by, used_up
from pipelines.sources.platforms.responses import micros, text, zero_if_absent
from pipelines.sources.rest import Token, connect, seconds_until

DELIVERY = "days"

_FIELDS = """segments.date, customer.id, customer.currency_code, campaign.id, campaign.name,
  metrics.cost_micros, metrics.clicks, metrics.impressions, metrics.conversions"""

# No campaign answers to both, so that no spend is counted twice.
QUERIES = (
    f"""
SELECT {_FIELDS}, ad_group.id, ad_group.name
FROM ad_group
WHERE segments.date BETWEEN '{{first}}' AND '{{last}}'
  AND campaign.advertising_channel_type != 'PERFORMANCE_MAX'
ORDER BY segments.date, ad_group.id
""",
    f"""
SELECT {_FIELDS}
FROM campaign
WHERE segments.date BETWEEN '{{first}}' AND '{{last}}'
  AND campaign.advertising_channel_type = 'PERFORMANCE_MAX'
ORDER BY segments.date, campaign.id
""",
)

COLUMNS = {
    "spend_date": text("segments.date"),
    "account_id": text("customer.id"),
    "campaign_id": text("campaign.id"),
    "campaign": text("campaign.name"),
    "ad_group_id": text("adGroup.id"),
    "ad_group": text("adGroup.name"),
    "cost": micros("metrics.costMicros"),
    "currency": text("customer.currencyCode"),
    "clicks": zero_if_absent("metrics.clicks"),
    "impressions": zero_if_absent("metrics.impressions"),
    "conversions": zero_if_absent("metrics.conversions"),
}


def fetch(request: FetchRequest, api: GoogleAdsApi) -> Iterator[Batch]:
    """Yield the spend of every account, span by span. Raise PlatformError where none comes."""
    secrets = credentials(
        request.client.id,
        "google_ads",
        "developer_token",
        "client_id",
        "client_secret",
        "refresh_token",
    )
    quota = shared_by("google_ads", secrets["developer_token"], api.base_url)
    headers = {"developer-token": secrets["developer_token"]}
    if api.manager:
        headers["login-customer-id"] = api.manager
    google = connect(
        f"{api.base_url}/{api.version}",
        request.until,
        or_no_version("google_ads", api.version, partial(refused, quota)),
        Token(partial(_access_token, api.token_url, secrets, request.until)),
        headers,
    )
    search = partial(_search, google, quota, request.until)
    yield from days.by_days(request, api, "google_ads", api.customers, search, COLUMNS)


def missing(request: FetchRequest, api: GoogleAdsApi) -> list[date]:
    """Return the days that the lake lacks of any account."""
    return sorted({day for one in api.customers for day in days.missing(request, api, one)})


def _access_token(url: str, secrets: dict[str, str], until: datetime) -> str:
    form = {name: secrets[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = connect(url, until, no_token).post(url, data=form | {"grant_type": "refresh_token"})
    token = body.get("access_token") if isinstance(body := answer.json(), dict) else None
    if not isinstance(token, str):
        raise malformed("access token")
    return token


def _search(
    google: RESTClient, quota: Path, until: datetime, customer: str, span: Span
) -> Iterator[list[dict]]:
    """Yield the rows of both queries, in the pages of Google's stream."""
    for query in QUERIES:
        _await(quota, until)
        answer = google.post(
            f"customers/{customer}/googleAds:searchStream",
            json={"query": query.format(first=span.first, last=span.last)},
        )
        for page in _stream(quota, answer):
            rows = page.get("results", [])
            if not isinstance(rows, list):
                raise malformed("results")
            yield rows


def _stream(quota: Path, answer: Response) -> list[dict]:
    pages = answer.json()
    if not isinstance(pages, list) or not all(isinstance(page, dict) for page in pages):
        raise malformed("stream")
    for page in pages:
        if isinstance(error := page.get("error"), dict):  # a stream that began well is still 200
            raise named_error(quota, error) or PlatformError(
                "platform_down", "Google Ads broke off a stream; the next run tries again"
            )
    return pages


def _await(quota: Path, until: datetime) -> None:
    """Wait until a shared quota is there again. Raise PlatformError if that is too long."""
    if spent := used_up(quota):
        if spent.seconds > seconds_until(until):
            raise quota_used_up(spent.seconds, spent.rate)
        time.sleep(max(0, spent.seconds))
