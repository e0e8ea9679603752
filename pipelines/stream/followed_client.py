"""Decide what is to be done for one client that is followed: bring in, publish, wait, raise the alarm."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from time import monotonic

from pipelines.settings.client import Client
from pipelines.stream import silences
from pipelines.stream.follow_status import (
    FollowStatus,
    moment_of,
    read_status,
    utc_text,
    write_status,
)
from pipelines.stream.notices import Notice
from pipelines.stream.process_messages import (
    Alive,
    Done,
    Failure,
    Heard,
    Said,
    Troubled,
    Wanted,
    Work,
)
from pipelines.stream.settled_versions import newest_settled, settled_at
from pipelines.stream.standing import standing
from pipelines.stream.ways import alive_within, api_of, way_called

AGAIN, SELDOM = 30.0, 1800.0  # seconds until what failed is published again: first, at most


class FollowedClient:
    """One client: works are done one after the other, what was brought in before it is published.

    However many notices come while it is published, they are brought in together and published
    once. `tell` hears one line of each thing that an operator should know.
    """

    def __init__(self, client: Client, number: int, tell: Callable[[str], None]) -> None:
        self.client, self.number, self._tell = client, number, tell
        self._is_busy = False
        self._wanted: list[Work] = []
        self._settled = newest_settled(client.id)
        self._failures, self._publish_at = 0, 0.0
        self._stood: tuple[int, ...] = ()  # when it was last not published
        self.status = read_status(client.id) or FollowStatus()
        self._is_unpublished = self.status.may_be_unpublished  # a killed process left it so
        self._is_doubtful = False  # whether a load was committed that nobody answered for
        self.status.begin(way_called(client), alive_within(client), utc_text(_now()))
        self._keep()
        tell(f"followed by {self.status.how}")

    def hear(self, message: Heard) -> None:
        """Take what the client's thread says."""
        if isinstance(message, Said):
            self._tell(message.line)
        elif isinstance(message, Wanted):
            if message.number == self.number:
                work = Work(self.client, "bring", self.number, message.notice, is_waited_for=True)
                self._wanted.append(work)
        elif isinstance(message, Alive):
            self.status.alive_at = utc_text(_now())
            self._keep()
        elif isinstance(message, Troubled):
            self.status.trouble(message.problem, utc_text(_now()))
            self._keep()

    def start_anew(self, number: int) -> None:
        """Forget what a thread wanted that died; the next one tells it again."""
        self.number, self._wanted = number, []
        self.status.trouble("", "")

    def next_work(self) -> Work | None:
        """Return what is to be done now, if anything."""
        work = None
        if not self._is_busy and self._wanted:
            work = self._wanted.pop(0)
            if not self.status.may_be_unpublished:
                self.status.may_be_unpublished = True  # before it is: it may be killed in between
                self._keep()
        elif not self._is_busy and self._is_unpublished and monotonic() >= self._publish_at:
            self._is_unpublished = False
            work = Work(self.client, "publish", self.number)
        self._is_busy |= work is not None
        return work

    def end(self, done: Done) -> None:
        """Take what became of a work, perhaps of one that was begun before the client's file changed."""
        self._is_busy &= done.work.client != self.client
        if done.work.kind == "bring":
            self._brought(done)
        else:
            self._published(done)
        self.status.may_be_unpublished = self._is_unpublished or self._is_doubtful
        self._keep()

    def look(self) -> None:
        """See whether a run has settled the client, a problem is remedied, or it is silent for too long."""
        if (settled := newest_settled(self.client.id)) != self._settled:
            self._is_unpublished |= self._changed_since(self._settled)
            self._settled = settled
        if self._failures and standing(self.client.id) != self._stood:
            self._failures, self._publish_at = 0, 0.0
        quiet_since = self._quiet_since()
        if not self.status.silent_since and silences.is_too_long(
            self.status.silences, quiet_since, _now()
        ):
            self._raise_alarm(quiet_since)

    def close(self) -> None:
        """Note that it is not followed any more."""
        self.status.ended_at = utc_text(_now())
        self._keep()

    def _brought(self, done: Done) -> None:
        if done.failure:
            self._is_doubtful = True
            if not done.work.is_waited_for:  # else the thread that waits says so, and tries again
                self._tell(done.failure.problem)
            return
        self.status.alive_at = utc_text(_now())
        if self._is_doubtful:
            self._is_unpublished, self._is_doubtful = True, False
        if not (done.brought.counts.appended or done.brought.counts.deleted):
            return
        self.status.silences = silences.ended(self.status.silences, self._quiet_since(), _now())
        self.status.changed_at, self.status.silent_since = utc_text(_now()), ""
        self._is_unpublished, self._publish_at = True, 0.0
        if not done.work.is_waited_for:
            self._tell(
                f"{done.brought.counts.appended} deals had changed, and no event told of them: see that"
                " Opportunity is selected under Change Data Capture in the org's setup"
            )

    def _published(self, done: Done) -> None:
        if done.failure:
            self._publish_later(done.failure)
            return
        self._failures, self.status.publishing_problem = 0, ""
        if done.said:
            self.status.published_at = utc_text(_now())
            self._tell(done.said)

    def _publish_later(self, failure: Failure) -> None:
        pause = min(AGAIN * 2**self._failures, SELDOM)
        self._failures += 1
        self._is_unpublished, self._publish_at = True, monotonic() + pause
        self._stood = standing(self.client.id)
        if failure.problem != self.status.publishing_problem:
            self._tell(
                f"what changed is not published: {failure.problem}; tried again in {pause:.0f} s"
            )
        self.status.publishing_problem = failure.problem

    def _raise_alarm(self, quiet_since: datetime) -> None:
        self.status.silent_since = utc_text(quiet_since)
        usual = _hours(silences.longest(self.status.silences))
        asked = api_of(self.client) is not None
        self._tell(
            f"no deal changed for {_hours(_now() - quiet_since)}, the longest silence of four weeks was"
            f" {usual}" + ("; the org is asked for all that changed" if asked else "")
        )
        if asked:
            everything = Notice([], is_everything=True)
            self._wanted.append(Work(self.client, "bring", self.number, everything))
        self._keep()

    def _changed_since(self, settled: str) -> bool:
        """Return whether something was brought in since a version, of which the next may lack a part."""
        return bool(self.status.changed_at) and moment_of(self.status.changed_at) >= settled_at(
            settled
        )

    def _quiet_since(self) -> datetime:
        """Return since when no change was seen; while nobody followed, none could be."""
        return max(moment_of(self.status.changed_at), moment_of(self.status.followed_since))

    def _keep(self) -> None:
        with suppress(OSError):  # a full disk is told by what is to be brought in
            write_status(self.client.id, self.status)


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.0f} h"


def _now() -> datetime:
    return datetime.now(timezone.utc)
