"""An org without change events is asked: little where nothing changed, and nothing is missed."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from demo.servers import Status
from pipelines.sources.errors import PlatformError
from pipelines.stream.changed_deals import bring
from pipelines.stream.notices import Notice
from pipelines.stream.polling import Polls
from pipelines.stream.ways import api_of
from tests.builders.org import Org
from tests.builders.streams import org_of
from tests.conftest import House

HOUR = timedelta(hours=1)


@pytest.fixture
def org(house: House) -> Iterator[Org]:
    with org_of(house.home, "two") as org:
        org.set("tables: [opportunities]", "stream: {by: polls}")
        yield org


@pytest.fixture
def notices(org: Org) -> Iterator[Notice]:
    client = org.client()
    api = api_of(client)
    assert api

    def brought() -> Iterator[Notice]:
        for notice in Polls(client.id, api, seconds=0.0).notices():
            bring(client, api, notice)
            yield notice

    return brought()


def changed(org: Org, number: int, **changes) -> dict:
    """Change a deal a moment ago, by the org's clock."""
    now = datetime.now(timezone.utc) + org.server.moved - timedelta(seconds=5)
    return org.deal(number, **{"SystemModstamp": now} | changes)


@pytest.mark.parametrize("clock", [-HOUR, timedelta(0), HOUR], ids=["slow", "right", "fast"])
def test_what_changed_since_the_last_question_is_brought_in(
    org: Org, notices: Iterator[Notice], clock: timedelta
) -> None:
    org.server.moved = clock
    org.deal(1)
    assert next(notices).is_everything  # whatever happened while nobody asked
    assert next(notices).is_sign_of_life
    changed(org, 2, StageName="Closed Won")
    assert next(notices).is_everything
    assert next(notices).is_sign_of_life
    changed(org, 2, IsDeleted=True)
    assert next(notices).is_everything

    assert org.deals() == [
        ("1", "Open", False),
        ("2", "Closed Won", False),
        ("2", "Closed Won", True),
    ]


def test_a_question_without_news_costs_a_session_and_one_query(
    org: Org, notices: Iterator[Notice]
) -> None:
    changed(org, 1)
    next(notices)
    org.server.requests.clear()
    loads = org.files()
    assert [next(notices).is_sign_of_life for _ in range(3)] == [True] * 3

    assert [one.path.rpartition("/")[2] for one in org.server.requests] == ["token", "queryAll"] * 3
    assert org.files() == loads


def test_a_change_of_an_equal_or_older_stamp_is_news(org: Org, notices: Iterator[Notice]) -> None:
    first = changed(org, 1)
    next(notices)
    changed(org, 2, SystemModstamp=first["SystemModstamp"])

    assert next(notices).is_everything
    assert [row[0] for row in org.deals()] == ["1", "2"]


def test_two_changes_of_one_second_are_both_news(org: Org, notices: Iterator[Notice]) -> None:
    next(notices)
    now = datetime.now(timezone.utc)
    for stage in ("Closed Won", "Lost"):
        changed(org, 1, StageName=stage, SystemModstamp=now)
        assert next(notices).is_everything

    assert org.deals("stage") == [("Closed Won",), ("Lost",)]


def test_an_org_that_is_away_is_told(org: Org, notices: Iterator[Notice]) -> None:
    next(notices)
    org.server.fail(Status(400, [{"errorCode": "X", "message": "no"}]), times=None, path="query")

    with pytest.raises(PlatformError):
        next(notices)


def test_a_session_that_ended_is_begun_anew(org: Org, notices: Iterator[Notice]) -> None:
    next(notices)
    changed(org, 1)
    org.server.end_sessions()

    assert next(notices).is_everything
    assert org.deals("opportunity_id[15]") == [("1",)]


def test_an_org_whose_requests_are_used_up_is_asked_for_all_that_changed_meanwhile(
    org: Org, notices: Iterator[Notice]
) -> None:
    next(notices)
    changed(org, 1)
    org.server.used = org.server.daily_limit
    with pytest.raises(PlatformError, match="requests of 24 hours are used up") as refused:
        next(notices)
    assert not refused.value.passes  # it is asked again a few times an hour
    org.server.heal()

    client = org.client()
    api = api_of(client)
    assert api and next(Polls(client.id, api, seconds=0.0).notices()).is_everything
    bring(client, api, Notice([], is_everything=True))
    assert org.deals("opportunity_id[15]") == [("1",)]
