"""Gather what the watch judges a client by: statuses, the ledger, the published files; no warehouse."""

from datetime import datetime
from typing import NamedTuple

from pipelines.ingest.acceptance import Waiting
from pipelines.ingest.source_status import Status
from pipelines.published.version_folders import is_provisional
from pipelines.serving.disk_use import DiskUse
from pipelines.settings.client import Client
from pipelines.stream.follow_status import FollowStatus
from pipelines.watch.daily_numbers import DailyNumbers
from pipelines.watch.moments import deadline_before, morning_of, next_deadline
from pipelines.watch.mornings import Morning


class Source(NamedTuple):
    """A source's status, when it was asked last, and which full exports wait for a word."""

    status: Status
    asked_at: datetime
    waiting: list[Waiting] = []


class Shown(NamedTuple):
    """The version of the published files that is shown: when it was written, the rows of its tables."""

    version: str
    written_at: datetime
    rows: dict[str, int]
    run_wrote_at: datetime | None = None  # the newest up to it that no promotion or rollback wrote

    @property
    def is_provisional(self) -> bool:
        """Return whether the stream wrote it, ahead of a run."""
        return is_provisional(self.version)


class Facts(NamedTuple):
    """All that a client is judged by at one moment.

    `known_since` is when the watch saw the client first; `held_for` is why its last morning held it;
    `stream` is how its CRM is followed; `unreadable` is why its published files cannot be read, and `is_gone` whether
    the file that shows them is not there, though there are versions; `settings` why its file cannot be used; `disk`
    is how much it takes.
    """

    client: Client
    now: datetime
    known_since: datetime
    sources: list[Source] = []
    mornings: list[Morning] = []
    held_for: list[str] = []
    shown: Shown | None = None
    numbers: DailyNumbers | None = None
    stream: FollowStatus | None = None
    unreadable: str = ""
    is_gone: bool = False
    settings: list[str] = []
    disk: DiskUse | None = None

    @property
    def last_deadline(self) -> datetime:
        """Return the deadline that has passed last."""
        return deadline_before(self.client, self.now)

    @property
    def next_deadline(self) -> datetime:
        """Return the deadline that comes next."""
        return next_deadline(self.client, self.now)

    @property
    def is_held(self) -> bool:
        """Return whether the client's published tables wait for something."""
        return bool(self.held_for) or any(each.status.holds for each in self.sources)

    @property
    def is_at_work(self) -> bool:
        """Return whether a run serves the client now."""
        return any(not each.ended for each in self.mornings)

    def has_numbers_for(self, deadline: datetime) -> bool:
        """Return whether the numbers of a deadline's morning are there.

        Provisional credit is none of them: a deal that closed at night is no morning, and neither is what
        was promoted then, or rolled back.
        """
        since = morning_of(self.client, deadline)
        written = [self.shown.run_wrote_at] if self.shown and self.shown.run_wrote_at else []
        served = [each.ended for each in self.mornings if each.is_done and each.ended]
        return any(moment >= since for moment in (*written, *served))

    def newest_run(self, deadline: datetime) -> Morning | None:
        """Return the run of a deadline's morning that began last; None if none has."""
        since = morning_of(self.client, deadline)
        of_morning = [each for each in self.mornings if each.began >= since]
        return max(of_morning, key=lambda each: each.began, default=None)

    def under_way(self, deadline: datetime) -> Morning | None:
        """Return the same if it serves the client now."""
        newest = self.newest_run(deadline)
        return newest if newest and not newest.ended else None
