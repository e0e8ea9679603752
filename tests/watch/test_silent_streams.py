"""A stream that is followed and gives no sign of life is found; one that is cut for a moment is not."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pipelines.settings.client import Client
from pipelines.stream.follow_status import FollowStatus, utc_text
from pipelines.watch.facts import Facts
from pipelines.watch.stream_causes import stream_silent

NOW = datetime(2026, 11, 27, 6, tzinfo=timezone.utc)
ONE = Client.model_validate({"id": "one", "name": "One", "currency": "EUR", "sources": {}})
WEST = ONE.model_copy(update={"timezone": "America/New_York"})


def ago(minutes: int) -> str:
    return utc_text(NOW - timedelta(minutes=minutes))


def found(**said: Any) -> list[str]:
    stream = FollowStatus(**{"followed_since": ago(600), "alive_at": ago(2)} | said)
    return [each.what for each in stream_silent(Facts(ONE, NOW, NOW, stream=stream))]


def test_one_that_is_followed_and_alive_is_well() -> None:
    assert found() == []
    west = Facts(WEST, NOW, NOW, stream=FollowStatus(followed_since=ago(1)))
    assert list(stream_silent(west)) == []
    assert list(stream_silent(Facts(ONE, NOW, NOW))) == [], "nor is one that nobody follows"


@pytest.mark.parametrize(
    "field, what",
    [
        ("alive_at", "make stream gave its last sign of life at 05:{at} UTC, {minutes} min ago"),
        ("ended_at", "it is not followed: make stream ended at 05:{at} UTC, {minutes} min ago"),
        (
            "troubled_since",
            "it cannot be followed: the bus is down: first at 05:{at} UTC, {minutes} min ago",
        ),
    ],
)
def test_what_lasts_ten_minutes_is_found(field: str, what: str) -> None:
    problem = {"problem": "the bus is down"} if field == "troubled_since" else {}
    assert found(**{field: ago(9)}, **problem) == []
    assert found(**{field: ago(11)}, **problem) == [what.format(at=49, minutes=11)]


def test_who_is_asked_once_an_hour_gives_a_sign_of_life_so_often() -> None:
    assert found(alive_within=3600, alive_at=ago(119)) == []
    assert found(alive_within=3600, alive_at=ago(121)) != []


def test_a_silence_beyond_its_habit_and_what_is_not_published_are_found() -> None:
    assert found(silent_since=ago(300), changed_at=ago(300)) == [
        "no deal changes for longer than is its habit; its last change came at 01:00 UTC, 5 h ago"
    ]
    (what,) = found(publishing_problem="the disk is full", changed_at=ago(20))
    assert what.startswith("what changed is not published: the disk is full: it came at 05:40 UTC")
    assert found(publishing_problem="the disk is full", changed_at=ago(1)) == []
