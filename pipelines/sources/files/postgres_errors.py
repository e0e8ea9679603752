"""Name what a client's Postgres reports, as PlatformErrors: the server's faults, not the table's."""

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pipelines.sources.batches import FetchRequest
from pipelines.sources.errors import Code, PlatformError
from pipelines.sql import identifier

# How a server words that it refuses a connection: without a code, maybe with a part of a broken URL.
_REFUSALS: list[tuple[str, Code, str, bool]] = [
    (
        "pg_hba",
        "credentials_refused",
        "lets nobody in from this machine; have its pg_hba.conf name it, or correct {variable}",
        False,
    ),
    (
        "permission denied for database",
        "credentials_refused",
        "does not let its user connect; run there: GRANT CONNECT ON DATABASE {database} TO {user}",
        False,
    ),
    (
        "password|authentication|role .* does not exist|permission denied|not permitted",
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
    "42501": ("credentials_refused", "does not let its user read {table}; run there: {grant}"),
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


class Asked(NamedTuple):
    """Who asks whom for what: the client's source, its table, and the database's address."""

    request: FetchRequest
    source: str
    table: str
    url: str

    def worded(self, reason: str, columns: str = "") -> str:
        """Return a reason with the names that it takes; of the address the user and the database.

        The right that is granted is that to read the table, or some columns of it.
        """
        parts = urlsplit(self.url)
        client = self.request.client.id
        user = identifier(unquote(parts.username)) if parts.username else "its user"
        said = reason.format(
            variable=f"CLIENTS__{client}__{self.source}__URL".upper(),
            table=self.table,
            user=user,
            database=identifier(parts.path.strip("/")),
            grant=_grant(self.table, user, columns),
        )
        return f"the Postgres of {client}.{self.source} {said}"


def _grant(table: str, user: str, columns: str) -> str:
    """Return the statements that let a user read a table, or some columns of it."""
    schema, _, _ = table.rpartition(".")
    select = f"GRANT {' '.join(filter(None, ['SELECT', columns]))} ON {'.'.join(map(identifier, table.split('.')))} TO {user}"
    return f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {user}; {select}" if schema else select


def unreached(error: Exception, asked: Asked) -> PlatformError:
    """Return why there is no connection; what cannot be recognised is a URL that is not readable."""
    text = str(error)
    refusal = text.partition("failed: ")[2] or text  # what comes before names the user's host
    for pattern, code, reason, passes in _REFUSALS:
        if re.search(pattern, refusal):
            return PlatformError(code, asked.worded(reason), passes=passes)
    return PlatformError("credentials_refused", asked.worded(_NO_URL))


def no_right(asked: Asked, columns: list[str], readable: Collection[str]) -> PlatformError:
    """Return the error that columns which are read, or may say which rows count, are not readable.

    Where none is readable, what lacks is the table.
    """
    code, reason = _STATES["42501"]
    if not readable:
        return PlatformError(code, asked.worded(reason))
    what = f"({', '.join(map(identifier, columns))})"
    reason = f"does not let its user read {', '.join(columns)} of {{table}}; run there: {{grant}}"
    return PlatformError(code, asked.worded(reason, what))


def server_error(error: Exception, asked: Asked) -> PlatformError | None:
    """Return what is wrong with the server, if it is at fault."""
    states = [state for pattern, state in _TEXTS.items() if re.search(pattern, str(error))]
    state = getattr(error, "sqlstate", None) or next(iter(states), "")
    code, reason = _STATES.get(state) or _STATES.get(state[:2]) or (None, "")
    return PlatformError(code, asked.worded(reason)) if code else None
