"""Turn the errors of Google Ads and its token endpoint into PlatformErrors."""

import re
from pathlib import Path

from requests import Response

from pipelines.sources.errors import AGAIN, NOT_KNOWN, Code, PlatformError
from pipelines.sources.platforms.expired_versions import version_expired
from pipelines.sources.platforms.quotas import use_up


def no_token(response: Response) -> PlatformError | None:
    """Return the error that the token endpoint reports."""
    body = response.json()
    reason = f"Google gives no access token: {body['error']}, {body.get('error_description', '')}"
    if body["error"] == "invalid_grant":
        return PlatformError(
            "consent_revoked", f"{reason}; consent again and set a new refresh_token"
        )
    if body["error"] in ("invalid_client", "unauthorized_client"):
        return PlatformError("credentials_refused", f"{reason}; check client_id and client_secret")
    return None


def refused(quota: Path, response: Response) -> PlatformError | None:
    """Return the error in an answer of Google Ads."""
    body = response.json()
    return named_error(quota, (body[0] if isinstance(body, list) else body)["error"])


def named_error(quota: Path, error: dict) -> PlatformError | None:
    """Return the error that Google Ads reports; None if it is down."""
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
    if "UNSUPPORTED_VERSION" in codes or _ENDED.search(reason):
        return version_expired("google_ads", reason)
    for code, (named, remedy) in _CODES.items():
        if code in codes:
            is_account = named == "unknown_account"
            return PlatformError(named, f"{reason}; {remedy}", account=is_account)
    return PlatformError("request_refused", f"{reason}; {NOT_KNOWN}")


def _limited(quota: Path, failures: list[dict], reason: str) -> PlatformError:
    """Return for how long Google wants to be left alone, by this account or by everybody."""
    details = [one.get("details", {}).get("quotaErrorDetails") for one in failures]
    quota_error: dict = next(filter(None, details), {})
    delay = quota_error.get("retryDelay", "").removesuffix("s")
    seconds = float(delay) if delay else None
    if quota_error.get("rateScope") == "DEVELOPER" and seconds:
        use_up(quota, seconds, quota_error.get("rateName", ""))
        return quota_used_up(seconds, quota_error.get("rateName", ""))
    is_account = quota_error.get("rateScope") == "ACCOUNT"
    return PlatformError(
        "rate_limited",
        f"{reason}; {AGAIN}",
        passes=True,
        retry_after=seconds,
        account=is_account,
    )


def quota_used_up(seconds: float, rate: str) -> PlatformError:
    """Return the error that a quota is used up, which all clients of a developer token share."""
    reason = "the quota of the Google Ads developer token is used up; all clients with it share it"
    return PlatformError(
        "rate_limited", f"{reason} ({rate}); {AGAIN}", passes=True, retry_after=seconds
    )


def malformed(what: str) -> PlatformError:
    """Return the error that an answer lacks something."""
    reason = f"Google's answer has no {what} that we know; the next run tries again"
    return PlatformError("malformed_answer", reason)


_ENDED = re.compile(r"Version v\d+ is deprecated")  # older versions named no code of their own
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
