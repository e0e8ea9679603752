"""What is done for one client, and when: bring in, publish once for all, wait, raise the alarm."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
import time_machine

from pipelines.ingest.load_counts import Counts
from pipelines.stream import follow_status, followed_client
from pipelines.stream.followed_client import FollowedClient
from pipelines.stream.notices import Brought, Notice
from pipelines.stream.process_messages import Alive, Done, Failure, Troubled, Wanted, Work
from tests.builders.org import Org
from tests.builders.streams import org_of
from tests.conftest import House

MONDAY = datetime(2026, 9, 7, 8, tzinfo=timezone.utc)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def org(house: House) -> Iterator[Org]:
    with org_of(house.home, "two") as org:
        yield org


class Followed:
    """A client that is followed, what was told, and the clock."""

    def __init__(self, org: Org, clock: time_machine.Traveller) -> None:
        self.told: list[str] = []
        self.clock, self.client = clock, FollowedClient(org.client(), 1, self.told.append)

    def want(self, *ids: str) -> None:
        """Have the client's thread want something brought in."""
        self.client.hear(Wanted("two", 1, Notice([*ids], is_everything=not ids)))

    def do(self, appended: int = 1, failure: Failure | None = None) -> Work:
        """Do the work that comes next; it brings so many deals."""
        work = self.client.next_work()
        assert work
        self.client.end(Done(work, Brought(Counts(appended=appended)), failure=failure))
        return work

    def changes(self) -> None:
        """Let a deal change, and be published."""
        self.want("006000000000001AAA")
        assert [self.do().kind, self.do().kind] == ["bring", "publish"]

    @property
    def status(self) -> follow_status.FollowStatus:
        """Return what the file says."""
        status = follow_status.read_status("two")
        assert status
        return status


@pytest.fixture
def followed(org: Org) -> Iterator[Followed]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield Followed(org, clock)


def test_what_comes_while_it_is_published_is_published_together(followed: Followed) -> None:
    followed.want("1")
    assert followed.do().kind == "bring"
    publishing = followed.client.next_work()
    assert publishing and publishing.kind == "publish"
    followed.want("2")
    followed.want("3")
    assert followed.client.next_work() is None
    followed.client.end(Done(publishing))

    assert [followed.do().kind for _ in range(3)] == ["bring", "bring", "publish"]
    assert followed.client.next_work() is None


def test_what_brought_nothing_is_not_published(followed: Followed) -> None:
    followed.want()
    followed.do(appended=0)
    assert followed.client.next_work() is None


def test_what_may_have_been_loaded_is_published_after_a_kill(org: Org, followed: Followed) -> None:
    followed.want("1")
    assert followed.client.next_work() and followed.status.may_be_unpublished
    killed = Followed(org, followed.clock)
    assert killed.do().kind == "publish"
    assert not killed.status.may_be_unpublished


def test_what_failed_may_be_loaded_and_is_published_once_it_is_told_again(
    followed: Followed,
) -> None:
    followed.want("1")
    followed.do(failure=Failure("its process died"))
    assert followed.status.may_be_unpublished and followed.client.next_work() is None
    followed.want("1")
    assert [followed.do(appended=0).kind, followed.do().kind] == ["bring", "publish"]
    assert not followed.status.may_be_unpublished


def test_what_is_not_published_is_told_once_and_tried_again(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(followed_client, "monotonic", lambda: now)
    followed.want("1")
    followed.do()
    pauses = []
    for _ in range(8):
        followed.do(failure=Failure("an audit fails"))
        began = now
        while not followed.client._publish_at <= now:
            assert followed.client.next_work() is None
            now = followed.client._publish_at
        pauses.append(now - began)

    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800]
    assert [line for line in followed.told if "an audit fails" in line] == [
        "what changed is not published: an audit fails; tried again in 30 s"
    ]
    assert followed.status.publishing_problem == "an audit fails"
    followed.do()
    assert followed.status.publishing_problem == ""


def test_what_is_not_published_is_tried_at_once_when_it_may_be_remedied(
    org: Org, followed: Followed
) -> None:
    file = org.home / "lake/two/web/status.json"
    file.parent.mkdir(parents=True)
    followed.want("1")
    followed.do()
    for _ in range(2):
        file.write_text("{}")
        os.utime(file, ns=(1, 1))
        followed.do(failure=Failure("web: deliver it whole"))
        followed.client.look()
        assert followed.client.next_work() is None
        os.utime(file, ns=(2, 2))  # as `make ingest` writes it anew
        followed.client.look()
    assert followed.do().kind == "publish"
    assert followed.status.publishing_problem == ""


def test_who_follows_anew_is_told_again_why_it_is_not_published(
    org: Org, followed: Followed
) -> None:
    followed.want("1")
    followed.do()
    followed.do(failure=Failure("an audit fails"))
    again = Followed(org, followed.clock)
    again.do(failure=Failure("an audit fails"))
    assert again.told[-1] == "what changed is not published: an audit fails; tried again in 30 s"


def test_a_silence_is_an_alarm_once_it_is_longer_than_the_habit(followed: Followed) -> None:
    for day in range(10):  # a deal an hour, but none at night
        followed.clock.move_to(MONDAY + day * DAY)
        for _ in range(10):
            followed.clock.shift(HOUR)
            followed.changes()
    followed.told.clear()
    followed.clock.shift(20 * HOUR)
    followed.client.look()
    assert followed.told == []
    followed.clock.shift(3 * HOUR)
    followed.client.look()
    followed.client.look()

    assert followed.told == [
        "no deal changed for 23 h, the longest silence of four weeks was 15 h; the org is asked for"
        " all that changed"
    ]
    wrong, _ = followed.status.lines(datetime.now(timezone.utc))
    assert any("longer than its habit" in line for line in wrong)
    work = followed.client.next_work()
    assert work and work.notice.is_everything and not work.is_waited_for
    followed.client.end(Done(work, Brought(Counts(appended=2))))
    assert "no event told of them" in followed.told[-1]
    assert followed.status.silent_since == ""


def test_who_is_new_has_no_habit_yet(followed: Followed) -> None:
    followed.changes()
    followed.clock.shift(6 * DAY)
    followed.client.look()
    assert not any("no deal changed" in line for line in followed.told)


def test_while_nobody_followed_there_was_no_silence(org: Org, followed: Followed) -> None:
    for _ in range(10):
        followed.changes()
        followed.clock.shift(DAY)
    followed.client.close()
    followed.clock.shift(20 * DAY)
    again = Followed(org, followed.clock)
    again.client.look()
    again.clock.shift(HOUR)
    again.changes()

    assert not any("no deal changed" in line for line in again.told)
    assert max(again.status.silences.values()) <= DAY.total_seconds()


def test_the_status_says_since_when_it_waits_and_why(followed: Followed) -> None:
    followed.client.hear(Alive("two"))
    followed.client.hear(Troubled("two", "the org is away"))
    followed.clock.shift(HOUR)
    followed.client.hear(Troubled("two", "the org is still away"))
    now = datetime.now(timezone.utc)
    assert followed.status.lines(now)[0] == [
        "not followed since 2026-09-07 08:00 UTC: the org is still away"
    ]
    followed.client.hear(Troubled("two", ""))
    followed.client.hear(Alive("two"))
    assert followed.status.lines(now) == ([], ["followed by change events"])

    dead, _ = followed.status.lines(now + HOUR)
    assert dead == ["no sign of life of make stream since 2026-09-07 09:00 UTC: run it again"]
    followed.client.close()
    assert followed.status.lines(now + HOUR)[0] == []
