"""Keep how each client is followed: `stream/<client>.json`, which `make status` shows.

The file is replaced whole, so whoever reads it sees the old or the new one.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipelines.files import write_atomically
from pipelines.home import stream_folder
from pipelines.stream.silences import Silences

DEAD = timedelta(minutes=10)  # what lasts as long does not mend itself


@dataclass
class FollowStatus:
    """How a client's CRM is followed. Times are UTC in ISO 8601, empty where there was none yet.

    `problem` says why it waits, since `troubled_since`; `silent_since` is set once it is silent for
    longer than its habit; `ended_at` once it is not followed any more, as the command has ended.
    While it `may_be_unpublished`, a load may be in the lake whose credit is not published.
    """

    how: str = ""
    alive_within: float = 300  # seconds in which a sign of life is due
    followed_since: str = ""
    alive_at: str = ""  # last sign of life
    changed_at: str = ""  # last change that was brought in
    published_at: str = ""
    problem: str = ""
    troubled_since: str = ""
    publishing_problem: str = ""
    may_be_unpublished: bool = False
    silent_since: str = ""
    ended_at: str = ""
    silences: Silences = field(default_factory=dict)

    @property
    def dead_after(self) -> timedelta:
        """Return after how long without a sign of life nobody follows it any more."""
        return max(DEAD, 2 * timedelta(seconds=self.alive_within))

    def begin(self, how: str, alive_within: float, now: str) -> None:
        """Note that it is followed from now on."""
        self.how, self.alive_within, self.followed_since = how, alive_within, now
        self.alive_at = self.problem = self.troubled_since = self.ended_at = ""
        self.publishing_problem = ""  # what is not published is tried at once, and told anew

    def trouble(self, problem: str, now: str) -> None:
        """Note why it waits; nothing once it does not."""
        self.problem = problem
        self.troubled_since = (self.troubled_since or now) if problem else ""

    def lines(self, now: datetime) -> tuple[list[str], list[str]]:
        """Return what is wrong, a line each, and what else there is to know."""
        if self.ended_at:
            return [], [f"not followed since {_shown(self.ended_at)}, when make stream ended"]
        wrong, alive = [], self.alive_at or self.followed_since
        if now - moment_of(alive) > self.dead_after and not self.problem:
            wrong.append(f"no sign of life of make stream since {_shown(alive)}: run it again")
        if self.problem:
            wrong.append(f"not followed since {_shown(self.troubled_since)}: {self.problem}")
        if self.publishing_problem:
            wrong.append(f"what changed is not published yet: {self.publishing_problem}")
        if self.silent_since:
            wrong.append(
                f"no deal changed since {_shown(self.silent_since)}, which is longer than its habit"
            )
        changed = f", last change {_shown(self.changed_at)}" if self.changed_at else ""
        published = f", published {_shown(self.published_at)}" if self.published_at else ""
        return wrong, [f"followed by {self.how}{changed}{published}"]


def read_status(client: str) -> FollowStatus | None:
    """Return how a client is followed; None if it never was, or if the file cannot be read."""
    try:
        return FollowStatus(**json.loads(_file(client).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_status(client: str, status: FollowStatus) -> None:
    """Keep how a client is followed."""
    write_atomically(_file(client), json.dumps(asdict(status), indent=1) + "\n")


def forget_status(client: str) -> None:
    """Forget a client that is left to the morning."""
    _file(client).unlink(missing_ok=True)


def utc_text(moment: datetime) -> str:
    """Return a moment as the file has it."""
    return moment.isoformat(timespec="seconds")


def moment_of(text: str) -> datetime:
    """Return the moment that a text of the file tells; the beginning of time where it is empty."""
    if not text:
        return datetime.min.replace(tzinfo=timezone.utc)
    return datetime.fromisoformat(text)


def _shown(text: str) -> str:
    return f"{moment_of(text):%Y-%m-%d %H:%M} UTC"


def _file(client: str) -> Path:
    return stream_folder() / f"{client}.json"
