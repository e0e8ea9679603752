"""Turn Facebook's errors into PlatformErrors, and read how much of its limits is used up."""

import json
from contextlib import suppress

from requests import Response

from pipelines.sources.errors import AGAIN, NOT_KNOWN, PlatformError
from pipelines.sources.platforms.expired_versions import version_expired


class TooMuch(PlatformError):
    """An answer would be too large; fewer days may fit."""


def refused(response: Response) -> PlatformError | None:
    """Return the PlatformError that an error's code means."""
    error = response.json()["error"]
    code, subcode = int(error["code"]), error.get("error_subcode")
    message = error.get("error_user_msg") or error.get("message", "")
    reason = f"Facebook says: {message} ({code}{f'/{subcode}' if subcode else ''})"
    if "reduce the amount of data" in f"{message} {error.get('message')}".lower():
        return TooMuch("request_refused", reason, account=True)
    if code in (190, 102, 104):
        return _token(subcode, reason)
    if code == 10 or 200 <= code < 300:
        remedy = "let the ad account's owner grant ads_read to the token's user"
        return PlatformError("consent_revoked", f"{reason}; {remedy}", account=True)
    if code == 2635:
        return version_expired("facebook_ads", reason)
    if code == 803 or (code, subcode) == (100, 33):
        return PlatformError("unknown_account", f"{reason}; check api.accounts", account=True)
    if code in (4, 17, 32, 613) or 80000 <= code <= 80014:
        is_account = code in (17, 613) or code >= 80000
        after = _seconds_to_wait(response)
        return PlatformError(
            "rate_limited",
            f"{reason}; {AGAIN}",
            passes=True,
            retry_after=after,
            account=is_account,
        )
    if code in (1, 2, 2601) or error.get("is_transient") or response.status_code >= 500:
        return PlatformError("platform_down", f"{reason}; the next run tries again", passes=True)
    return PlatformError("request_refused", f"{reason}; {NOT_KNOWN}")


def malformed(what: str) -> PlatformError:
    """Return the error that an answer lacks something."""
    reason = f"Facebook's answer has no {what} that we know; the next run tries again"
    return PlatformError("malformed_answer", reason)


def usage(response: Response) -> float:
    """Return how much of its limits is used up, in percent."""
    return max(
        [*_numbers(response, "call_count"), *_numbers(response, "acc_id_util_pct")], default=0.0
    )


def _token(subcode: int | None, reason: str) -> PlatformError:
    remedy = "set a new access_token"
    if subcode == 463:
        return PlatformError("credentials_expired", f"{reason}; {remedy}")
    if subcode in (458, 460):
        return PlatformError("consent_revoked", f"{reason}; consent again and {remedy}")
    return PlatformError("credentials_refused", f"{reason}; {remedy}")


def _seconds_to_wait(response: Response) -> float | None:
    """Return how long the longest of the limits lasts, in seconds."""
    minutes = max(_numbers(response, "estimated_time_to_regain_access"), default=0.0)
    return max([60 * minutes, *_numbers(response, "reset_time_duration")]) or None


def _numbers(response: Response, key: str) -> list[float]:
    """Return a number from each usage header; one that is not understood is skipped."""
    uses = []
    for header in ("x-app-usage", "x-ad-account-usage", "x-business-use-case-usage"):
        with suppress(ValueError, AttributeError):
            limits = json.loads(response.headers.get(header, "{}"))
            uses.append(limits)
            uses += [use for some in limits.values() if isinstance(some, list) for use in some]
    numbers = [use.get(key) for use in uses if isinstance(use, dict)]
    return [float(number) for number in numbers if isinstance(number, int | float)]
