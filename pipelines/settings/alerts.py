"""Say whom a client's alerts reach, and which of them are of no use to it."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from pipelines.settings.base import Settings

Cause = Literal[
    "at_risk",
    "late",
    "held",
    "shrunk",
    "stale",
    "rate_limited",
    "source_late",
    "stream_silent",
    "odd_sums",
    "odd_spend",
    "odd_sessions",
    "odd_conversions",
    "odd_revenue",
    "channel_vanished",
    "tracking_broken",
    "claims_far",
    "settings",
    "unreadable",
]
CAUSES: tuple[str, ...] = get_args(Cause)


class Alerts(Settings):
    """Whom alerts about the client reach beside the on-call, who gets those of every client."""

    channels: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = Field(
        [],
        description="Names of the client's own channels, as `mail`. The address of each is a secret:"
        " `CLIENTS__ACME__ALERTS__MAIL`, or `mail` under `[clients.acme.alerts]`.",
    )
    without: list[Cause] = Field(
        [],
        description="Causes that nobody is told of, such as `odd_spend` of a client whose spend jumps every week;"
        " docs/alerts.md has them all.",
    )
