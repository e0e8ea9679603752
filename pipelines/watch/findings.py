"""Say what a finding is: one client, one cause, what is wrong and what helps."""

from typing import Literal, NamedTuple

from pipelines.settings.alerts import Cause

HomeCause = Literal[
    "disk_nearly_full"
]  # it concerns no client alone: no client's file leaves it out

TITLES: dict[Cause | HomeCause, str] = {
    "at_risk": "at risk of missing its deadline",
    "late": "late",
    "held": "held",
    "shrunk": "held, a full export shrank",
    "stale": "stale source",
    "rate_limited": "rate limited past its deadline",
    "source_late": "source did not answer",
    "stream_silent": "stream silent",
    "odd_sums": "odd sums",
    "odd_spend": "odd spend",
    "odd_sessions": "odd sessions",
    "odd_conversions": "odd conversions",
    "odd_revenue": "odd revenue",
    "channel_vanished": "a channel vanished",
    "tracking_broken": "tracking may be broken",
    "claims_far": "a platform's claims are far from ours",
    "settings": "settings cannot be used",
    "unreadable": "published files not readable",
    "disk_nearly_full": "disk nearly full",
}


class Finding(NamedTuple):
    """What is wrong with one client, from one cause.

    `source` is the source that it is about, or the channel; empty if it is about the client. A note is
    shown by the command and alerts nobody.
    """

    cause: Cause | HomeCause
    what: str
    remedy: str
    source: str = ""
    is_note: bool = False

    @property
    def key(self) -> str:
        """Return what tells it from the client's others: its cause, and what it is about."""
        return f"{self.cause} {self.source}".strip()

    @property
    def title(self) -> str:
        """Return what it is, in a few words: `held (google_ads)`."""
        return f"{TITLES[self.cause]} ({self.source})" if self.source else TITLES[self.cause]
