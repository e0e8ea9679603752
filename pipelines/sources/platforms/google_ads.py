"""Ask Google Ads for spend by day and ad group, over its REST interface.

Performance Max campaigns have no ad groups: their spend is asked for by campaign.
"""

import time
from collections.abc import Iterator
from datetime import date, datetime, timezone
from functools import partial
from pathlib import Path

from dlt.sources.helpers.rest_client import RESTClient
from requests import Response

from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.credentials import credentials
from pipelines.sources.errors import Code, PlatformError
from pipelines.sources.platforms import days
from pipelines.sources.platforms.days import Span
from pipelines.sources.platforms.quotas import shared_by, use_up, used_up
from pipelines.sources.platforms.responses import micros, text, zero_if_absent
from pipelines.sources.rest import Token, connect

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


def fetch(request: FetchRequest) -> Iterator[Batch]:
    """Yield the spend of every account, span by span. Raise PlatformError where Google answers none."""
    api = request.client.sources.google_ads.api
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
        partial(_refused, quota),
        Token(partial(_access_token, api.token_url, secrets, request.until)),
        headers,
    )
    search = partial(_search, google, quota, request.until)
    yield from days.by_days(request, "google_ads", api.customers, search, COLUMNS)


def missing(request: FetchRequest) -> list[date]:
    """Return the days that the lake lacks of any account."""
    api = request.client.sources.google_ads.api
    return sorted(
        {day for one in api.customers for day in days.missing(request, "google_ads", one)}
    )


def _access_token(url: str, secrets: dict[str, str], until: datetime) -> str:
    form = {name: secrets[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = connect(url, until, _no_token).post(url, data=form | {"grant_type": "refresh_token"})
    token = body.get("access_token") if isinstance(body := answer.json(), dict) else None
    if not isinstance(token, str):
        raise _malformed("access token")
    return token


def _no_token(response: Response) -> PlatformError | None:
    """Return what the token endpoint says is wrong."""
    body = response.json()
    reason = f"Google gives no access token: {body['error']}, {body.get('error_description', '')}"
    if body["error"] == "invalid_grant":
        return PlatformError(
            "consent_revoked", f"{reason}; consent again and set a new refresh_token"
        )
    if body["error"] in ("invalid_client", "unauthorized_client"):
        return PlatformError("credentials_refused", f"{reason}; check client_id and client_secret")
    return None


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
                raise _malformed("results")
            yield rows


def _stream(quota: Path, answer: Response) -> list[dict]:
    pages = answer.json()
    if not isinstance(pages, list) or not all(isinstance(page, dict) for page in pages):
        raise _malformed("stream")
    for page in pages:
        if isinstance(error := page.get("error"), dict):  # a stream that began well is still 200
            raise _named(quota, error) or PlatformError(
                "platform_down", "Google Ads broke off a stream; the next run tries again"
            )
    return pages


def _await(quota: Path, until: datetime) -> None:
    """Wait until a shared quota is there again. Raise PlatformError if that is too long."""
    if spent := used_up(quota):
        if spent.seconds > (until - datetime.now(timezone.utc)).total_seconds():
            raise _used_up(spent.seconds, spent.rate)
        time.sleep(max(0, spent.seconds))


def _refused(quota: Path, response: Response) -> PlatformError | None:
    body = response.json()
    return _named(quota, (body[0] if isinstance(body, list) else body)["error"])


def _named(quota: Path, error: dict) -> PlatformError | None:
    """Return what Google Ads says is wrong; nothing if it is down."""
    failures = [one for detail in error.get("details", []) for one in detail.get("errors", [])]
    codes = [code for one in failures for code in one.get("errorCode", {}).values()]
    messages = [one.get("message", "") for one in failures] or [error.get("message", "")]
    status = error.get("status", "")
    reason = f"Google Ads says: {' '.join(messages)} ({', '.join(codes) or status})"
    if status == "RESOURCE_EXHAUSTED":
        return _limited(quota, failures, reason)
    if error.get("code", 500) >= 500:
        return None
    if status == "UNAUTHENTICATED" and (not codes or _RENEWED.intersection(codes)):
        return PlatformError("credentials_refused", f"{reason}; check the credentials", renew=True)
    for code, (named, remedy) in _CODES.items():
        if code in codes:
            is_account = named == "unknown_account"
            return PlatformError(named, f"{reason}; {remedy}", account=is_account)
    return PlatformError("request_refused", reason)


def _limited(quota: Path, failures: list[dict], reason: str) -> PlatformError:
    """Return for how long Google wants to be left alone, by this account or by everybody."""
    details = [one.get("details", {}).get("quotaErrorDetails") for one in failures]
    quota_error = next(filter(None, details), {})
    delay = quota_error.get("retryDelay", "").removesuffix("s")
    seconds = float(delay) if delay else None
    if quota_error.get("rateScope") == "DEVELOPER" and seconds:
        use_up(quota, seconds, quota_error.get("rateName", ""))
        return _used_up(seconds, quota_error.get("rateName", ""))
    is_account = quota_error.get("rateScope") == "ACCOUNT"
    return PlatformError(
        "rate_limited", reason, passes=True, retry_after=seconds, account=is_account
    )


def _used_up(seconds: float, rate: str) -> PlatformError:
    reason = "the quota of the Google Ads developer token is used up; all clients with it share it"
    return PlatformError("rate_limited", f"{reason} ({rate})", passes=True, retry_after=seconds)


def _malformed(what: str) -> PlatformError:
    reason = f"Google's answer has no {what} that we know; the next run tries again"
    return PlatformError("malformed_answer", reason)


_RENEWED = {
    "OAUTH_TOKEN_EXPIRED",
    "OAUTH_TOKEN_INVALID",
    "OAUTH_TOKEN_REVOKED",
    "OAUTH_TOKEN_DISABLED",
    "GOOGLE_ACCOUNT_COOKIE_INVALID",
}
_ACCOUNT: tuple[Code, str] = ("unknown_account", "check api.customers and api.manager")
_MANAGER: tuple[Code, str] = ("unknown_account", "list the accounts below it in api.customers")
_DEVELOPER: tuple[Code, str] = ("credentials_refused", "check developer_token and its access level")
_CODES = {
    "CUSTOMER_NOT_FOUND": _ACCOUNT,
    "CUSTOMER_NOT_ENABLED": _ACCOUNT,
    "USER_PERMISSION_DENIED": _ACCOUNT,
    "INVALID_CUSTOMER_ID": _ACCOUNT,
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": _ACCOUNT,
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": _ACCOUNT,
    "REQUESTED_METRICS_FOR_MANAGER": _MANAGER,
    "DEVELOPER_TOKEN_NOT_APPROVED": _DEVELOPER,
    "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": _DEVELOPER,
    "DEVELOPER_TOKEN_PROHIBITED": _DEVELOPER,
    "DEVELOPER_TOKEN_INVALID": _DEVELOPER,
    "DEVELOPER_TOKEN_PARAMETER_MISSING": _DEVELOPER,
}
