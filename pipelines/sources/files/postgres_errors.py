"""Name what a client's Postgres reports, as PlatformErrors: the server's faults, not the table's."""

import re

from pipelines.sources.batches import FetchRequest
from pipelines.sources.errors import Code, PlatformError

# How a server words that it refuses a connection: without a code, maybe with a part of a broken URL.
_REFUSALS: list[tuple[str, Code, str, bool]] = [
    (
        "password|authentication|role .* does not exist|pg_hba|permission denied|not permitted",
        "credentials_refused",
        "refuses its user or password; correct {variable}",
        False,
    ),
    (
        "database .* does not exist",
        "unknown_account",
        "has no such database; correct {variable}",
        False,
    ),
    (
        "starting up|shutting down|recovery|too many|connection slots",
        "platform_down",
        "takes no connections now; the next run tries again",
        True,
    ),
    (
        "refused|translate host name|timeout|timed out|route|closed the connection|SSL|reset",
        "connection_cut",
        "is not reached; the next run tries again, or correct {variable}",
        True,
    ),
]
_NO_URL = "has no readable URL; write {variable} as postgresql://user:password@host/database"

# The classes of SQLSTATE that are no fault of the table.
_STATES: dict[str, tuple[Code, str]] = {
    "08": ("connection_cut", "cut the connection; the next run tries again"),
    "28": ("credentials_refused", "refuses its user or password; correct {variable}"),
    "40": ("platform_down", "gave up on the query; the next run tries again"),
    "42501": ("credentials_refused", "does not let its user read the table; grant SELECT on it"),
    "53": ("platform_down", "has no room for the query; the next run tries again"),
    "57": ("platform_down", "stopped the query; the next run tries again"),
    "58": ("platform_down", "failed; the next run tries again"),
}

# While rows are read, an error comes without its SQLSTATE.
_TEXTS = {
    "closed the connection|connection has been closed|no connection|receive data": "08006",
    "terminating connection|canceling statement|starting up|shutting down": "57P01",
    "permission denied": "42501",
}


def unreached(error: Exception, request: FetchRequest, source: str) -> PlatformError:
    """Return why there is no connection; what cannot be recognised is a URL that is not readable."""
    text = str(error)
    refusal = text.partition("failed: ")[2] or text  # what comes before names the user's host
    for pattern, code, reason, passes in _REFUSALS:
        if re.search(pattern, refusal):
            return PlatformError(code, _worded(reason, request, source), passes=passes)
    return PlatformError("credentials_refused", _worded(_NO_URL, request, source))


def no_right(request: FetchRequest, source: str, columns: list[str]) -> PlatformError:
    """Return the error that columns which are read, or may say which rows count, are not readable."""
    database = f"the Postgres of {request.client.id}.{source}"
    reason = f"{database} does not let its user read {', '.join(columns)}; grant SELECT on it"
    return PlatformError("credentials_refused", reason)


def server_error(error: Exception, request: FetchRequest, source: str) -> PlatformError | None:
    """Return what is wrong with the server, if it is at fault."""
    states = [state for pattern, state in _TEXTS.items() if re.search(pattern, str(error))]
    state = getattr(error, "sqlstate", None) or next(iter(states), "")
    code, reason = _STATES.get(state) or _STATES.get(state[:2]) or (None, "")
    return PlatformError(code, _worded(reason, request, source)) if code else None


def _worded(reason: str, request: FetchRequest, source: str) -> str:
    variable = f"CLIENTS__{request.client.id}__{source}__URL".upper()
    return f"the Postgres of {request.client.id}.{source} {reason.format(variable=variable)}"
