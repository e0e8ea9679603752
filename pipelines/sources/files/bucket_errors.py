"""Name what the clouds' libraries report about a bucket, as PlatformErrors."""

import re
from typing import NamedTuple

from pipelines.sources.credentials import conceal
from pipelines.sources.errors import Code, PlatformError, quoted

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
        "{refused}",
        False,
    ),
    (
        "PERMANENT_REDIRECT|PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|status 30[1278]",
        "request_refused",
        "it lies in another region{region}; correct `bucket.region`",
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


_REFUSED = {
    "keys": "the keys {variables} are refused, or may not read it: correct them, or have its owner"
    " let them list the bucket and read its objects",
    "ambient": "this machine's own access is refused: have its owner let it list the bucket and read"
    " its objects, or write `bucket.access` as keys and set {variables}",
    "anonymous": "it is not public: write `bucket.access` as keys and set {variables}, or have its"
    " owner let everybody list and read it",
}


class Access(NamedTuple):
    """By whose access a client's source reads a bucket, and the names of the keys that it may have."""

    client: str
    source: str
    kind: str
    keys: tuple[str, ...]

    @property
    def refused(self) -> str:
        """Return what is said where it is refused: whose it is, and what helps."""
        variables = [f"CLIENTS__{self.client}__{self.source}__{key}".upper() for key in self.keys]
        return _REFUSED[self.kind].format(variables=" and ".join(variables))


def platform_error(error: OSError, what: str, access: Access) -> PlatformError:
    """Return what is wrong with a bucket or an object; the text is all there is to go by."""
    if isinstance(error, FileNotFoundError):
        reason = f"{what} is gone since it was listed; the next run tries again"
        return PlatformError("request_refused", reason)
    said = str(error)
    there = re.search(r"bucket is located in '([a-z0-9-]+)'|expecting '([a-z0-9-]+)'", said)
    region = f", {there[1] or there[2]}" if there else ""
    for pattern, code, reason, passes in _ERRORS:
        if re.search(pattern, said):
            reason = reason.format(refused=access.refused, region=region)
            return PlatformError(code, f"{what}: {reason}", passes=passes)
    reason = f"{what}: {quoted(conceal(said))}"
    return PlatformError("request_refused", f"{reason}; check `files:` and `bucket:`")
