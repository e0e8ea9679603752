"""Name what the clouds' libraries report about a bucket, as PlatformErrors."""

import re

from pipelines.sources.credentials import conceal
from pipelines.sources.errors import Code, PlatformError

# What the clouds' libraries report, in a text alone.
_ERRORS: list[tuple[str, Code, str, bool]] = [
    (
        "NO_SUCH_BUCKET|NoSuchBucket|ContainerNotFound",
        "unknown_account",
        "there is no such bucket; correct `files:`",
        False,
    ),
    (
        "ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN_ID|"
        "UNRECOGNIZED_CLIENT|ExpiredToken|InvalidToken|status 40[13]|PERMISSION_DENIED|"
        "UNAUTHENTICATED|AuthenticationFailed|AuthorizationFailure",
        "credentials_refused",
        "its keys are refused; correct them, or let them list and read",
        False,
    ),
    (
        "SLOW_DOWN|THROTTLING|REQUEST_LIMIT|status 429|RESOURCE_EXHAUSTED",
        "rate_limited",
        "too many requests; the next run tries again",
        True,
    ),
    (
        "NETWORK_CONNECTION|REQUEST_TIMEOUT|curl|CURL|UNAVAILABLE: Could not|connection",
        "connection_cut",
        "not reached, or cut off; the next run tries again",
        True,
    ),
    (
        "INTERNAL_FAILURE|SERVICE_UNAVAILABLE|status 5[0-9]{2}|UNAVAILABLE|InternalError|ServerBusy",
        "platform_down",
        "the platform fails; the next run tries again",
        True,
    ),
    (
        "XML_ERROR",
        "malformed_answer",
        "the answer is not readable; the next run tries again",
        True,
    ),
]


def platform_error(error: OSError, what: str) -> PlatformError:
    """Return what is wrong with a bucket or an object; the text is all there is to go by."""
    if isinstance(error, FileNotFoundError):
        reason = f"{what} is gone since it was listed; the next run tries again"
        return PlatformError("request_refused", reason)
    for pattern, code, reason, passes in _ERRORS:
        if re.search(pattern, str(error)):
            return PlatformError(code, f"{what}: {reason}", passes=passes)
    line = " ".join(conceal(str(error)).split())[:300]
    return PlatformError("request_refused", f"{what}: {line}")
