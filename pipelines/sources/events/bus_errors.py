"""Turn the event bus's errors into PlatformErrors: what passes, what needs a new session or place."""

from typing import Any

import grpc

from pipelines.sources.credentials import conceal
from pipelines.sources.errors import PlatformError

Code: Any = grpc.StatusCode
PASSING = {
    Code.UNAVAILABLE,
    Code.DEADLINE_EXCEEDED,
    Code.CANCELLED,
    Code.INTERNAL,
    Code.ABORTED,
    Code.UNKNOWN,
}


class PlaceGone(PlatformError):
    """The bus no longer has what follows a replay id: it keeps events for 72 hours."""


class SchemaGone(PlatformError):
    """The bus does not give the schema of an event; the place on the topic is as good as before."""


def named(error: grpc.RpcError, asked: str) -> PlatformError:
    """Return what an error of the bus means; `asked` is `subscription` or `schema`.

    INVALID_ARGUMENT of a subscription that names a replay id says that the id is too old. The same
    code of a schema says nothing of the sort, and must not make anybody forget where they were.
    """
    code = error.code()
    told = _told(error)
    if code == Code.UNAUTHENTICATED:
        return PlatformError(
            "credentials_expired", "the event bus ended the session", passes=True, renew=True
        )
    if code == Code.PERMISSION_DENIED:
        return PlatformError(
            "request_refused",
            f"the integration user may not follow the org's changes ({told});"
            " give it permission to read the object, and select it under Change Data Capture",
        )
    if code == Code.RESOURCE_EXHAUSTED:
        return PlatformError("rate_limited", f"the event bus: {told}", passes=True)
    if code == Code.INVALID_ARGUMENT and asked == "schema":
        return SchemaGone(
            "malformed_answer", f"the event bus has no such schema: {told}", passes=True
        )
    if code == Code.INVALID_ARGUMENT and "replayid" in told:
        return PlaceGone("place_gone", "the event bus no longer has what came after the last event")
    if code in (Code.NOT_FOUND, Code.INVALID_ARGUMENT):
        return PlatformError(
            "request_refused",
            f"the event bus refuses the {asked}: {told};"
            " select Opportunity under Change Data Capture in the org's setup",
        )
    return PlatformError(
        "connection_cut", f"the event bus answers {code.name}: {told}", passes=code in PASSING
    )


def _told(error: Any) -> str:
    """Return the platform's own code of an error, or else its text, in one line."""
    trailer = {str(key): str(value) for key, value in error.trailing_metadata() or ()}
    text = trailer.get("error-code") or error.details() or "no reason"
    return " ".join(conceal(text).split())[:300]
