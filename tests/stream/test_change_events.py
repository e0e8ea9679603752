"""A deal that changes in the CRM is in the lake at once, whatever happens to the bus or to us."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from demo.servers import Status
from demo.servers.event_bus import EventBus
from pipelines.stream.change_events import TRIES
from tests.builders.org import Org
from tests.builders.streams import Stream, org_of
from tests.conftest import House


@pytest.fixture
def org(house: House) -> Iterator[Org]:
    with org_of(house.home, "two") as org:
        yield org


@pytest.fixture
def bus(org: Org) -> Iterator[EventBus]:
    with EventBus(org.server) as server:
        server.keepalive = 0.05
        yield server


@pytest.fixture
def stream(org: Org, bus: EventBus) -> Stream:
    return Stream(org, bus)


def stages(org: Org) -> list[tuple]:
    return org.deals("opportunity_id[15], stage")


def test_a_deal_that_closes_is_in_the_lake(org: Org, stream: Stream) -> None:
    with stream:
        stream.begun()
        stream.reached(stream.close(1))

    assert stages(org) == [("1", "Closed Won")]


def test_what_happened_before_the_first_time_is_there_too(org: Org, stream: Stream) -> None:
    org.deal(1)
    org.deal(2)
    with stream:
        stream.begun()
        stream.reached(stream.close(2))

    assert stages(org) == [("1", "Open"), ("2", "Open"), ("2", "Closed Won")]
    assert "followed for the first time" in stream.told[0]


def test_what_happens_while_nobody_follows_is_read_afterwards(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
    missed = [stream.close(number) for number in (2, 3)]
    with stream:
        stream.reached(missed[-1])

    assert sorted(stages(org)) == [(str(number), "Closed Won") for number in (1, 2, 3)]
    assert [each.replay_preset for each in stream.bus.subscriptions] == [1, 2]


def test_an_event_that_is_told_twice_changes_nothing(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        stream.reached(stream.bus.publish("Opportunity", f"006{1:012}AAA"))

    assert stages(org) == [("1", "Closed Won")]


def test_a_deal_that_is_deleted_is_so_in_the_lake(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        stream.reached(stream.close(1, minutes=2, IsDeleted=True))

    assert org.deals("opportunity_id[15], is_deleted") == [("1", False), ("1", True)]


@pytest.mark.parametrize("change", ["DELETE", "GAP_DELETE"])
def test_a_deal_that_was_purged_is_withdrawn(org: Org, stream: Stream, change: str) -> None:
    with stream:
        stream.reached(stream.close(1))
        stream.reached(stream.close(2))
        gone = org.server.objects["Opportunity"].pop(0)["Id"]
        stream.reached(stream.bus.publish("Opportunity", gone, "006000000000009AAA", change=change))
        stream.reached(stream.bus.publish("Opportunity", gone, change=change))

    assert org.deals("opportunity_id[15], stage, is_deleted") == [
        ("1", "Closed Won", False),
        ("2", "Closed Won", False),
        ("1", "Closed Won", True),
    ]


def test_a_deal_that_is_undeleted_is_there_again(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        stream.reached(stream.close(1, minutes=2, IsDeleted=True))
        deal = org.deal(1, minutes=3, IsDeleted=False)
        stream.reached(stream.bus.publish("Opportunity", deal["Id"], change="UNDELETE"))

    assert org.deals("is_deleted") == [(False,), (True,), (False,)]


@pytest.mark.parametrize("change", ["GAP_UPDATE", "GAP_OVERFLOW"])
def test_after_a_gap_the_org_is_asked(org: Org, stream: Stream, change: str) -> None:
    with stream:
        stream.reached(stream.close(1))
        deal = org.deal(2, minutes=3, StageName="Closed Won", IsWon=True)
        ids = [] if change == "GAP_OVERFLOW" else [deal["Id"]]
        stream.reached(stream.bus.publish("Opportunity", *ids, change=change))

    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Closed Won")]


def test_a_place_that_the_bus_forgot_is_caught_up_by_asking(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
    stream.close(2)
    stream.bus.forget()
    with stream:
        stream.until(lambda: any("no longer had" in text for text in stream.told))
        stream.reached(stream.close(3, minutes=2))

    assert sorted(stages(org)) == [(str(number), "Closed Won") for number in (1, 2, 3)]


def test_a_break_in_the_first_batch_loses_nothing(org: Org, stream: Stream) -> None:
    stream.bus.cut()
    stream.close(1)
    with stream:
        stream.reached(stream.close(2))

    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Closed Won")]


def test_a_session_that_ends_is_renewed(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        org.server.end_sessions()
        stream.bus.cut()
        stream.reached(stream.close(2))

    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Closed Won")]


def test_a_session_that_ends_while_a_schema_is_fetched_is_renewed(org: Org, stream: Stream) -> None:
    stream.bus.end_session_at_schema = True
    with stream:
        stream.reached(stream.close(1))

    assert stages(org) == [("1", "Closed Won")]


def test_a_schema_that_is_refused_does_not_lose_the_place(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
    stream.bus.broken_schemas["Opportunity-1"] = TRIES - 1
    stream.close(2, StageName="Closed Won")
    with stream:
        stream.reached(stream.bus.publish("Opportunity", f"006{2:012}AAA", Region__c="North"))

    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Closed Won")]
    assert {each.replay_preset for each in stream.bus.subscriptions[1:]} == {2}


def test_an_unreadable_event_is_set_aside_and_what_it_told_is_asked_for(
    org: Org, stream: Stream
) -> None:
    with stream:
        stream.reached(stream.close(1))
        org.deal(2, minutes=2)
        stream.bus.publish("Opportunity", "006", payload=b"\xff" * 40)
        stream.reached(stream.close(3, minutes=3))

    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Open"), ("3", "Closed Won")]
    assert any("set aside" in text for text in stream.told)
    kept = [*(org.home / "lake/two/_pipelines/stream/undecodable").iterdir()]
    assert [file.read_bytes() for file in kept] == [b"\xff" * 40]


def test_what_cannot_be_had_pins_the_place(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(first := stream.close(1))
        org.server.fail(Status(400, [{"errorCode": "X", "message": "no"}]), times=3, path="query")
        second = stream.close(2)
        stream.bus.keepalive = 0.01
        stream.until(lambda: any("tried again" in text for text in stream.told))
        stream.reached(second)

    assert first < second
    assert sorted(stages(org)) == [("1", "Closed Won"), ("2", "Closed Won")]


def test_a_burst_is_brought_in_whole_many_at_once(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(0))
        loads = org.files()
        last = [stream.close(number) for number in range(1, 251)][-1]
        stream.reached(last)

    assert sorted(org.deals("opportunity_id")) == sorted(
        (f"006{number:012}AAA",) for number in range(251)
    )
    assert 1 <= org.files() - loads < 100


def test_events_that_were_asked_for_anyway_are_passed_over(org: Org, stream: Stream) -> None:
    stream.bus.moved = -timedelta(hours=1)
    for number in range(3):
        stream.close(number)
    org.server.requests.clear()
    with stream:
        stream.bus.moved = timedelta(0)
        stream.reached(stream.close(9))

    asked = [query for query in org.queries() if "Id IN" in query]
    assert [("006000000000009AAA" in query, "006000000000000AAA" in query) for query in asked] == [
        (True, False)
    ]


def test_people_and_roles_come_with_a_deal(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        contact = org.contact(1, minutes=2)
        org.role(1, deal=2, contact=contact, minutes=2)
        stream.reached(stream.close(2, minutes=2))

    assert stages(org) == [("1", "Closed Won"), ("2", "Closed Won")]
    assert org.log("contact_id", "salesforce", "contacts") == [(contact["Id"],)]
    roles = org.log("opportunity_id[15], contact_id", "salesforce", "contact_roles")
    assert roles == [("2", contact["Id"])]


def test_a_deal_waits_for_no_table_beside_it(org: Org, stream: Stream) -> None:
    with stream:
        stream.begun()
        del org.server.objects["Contact"]  # who asks may not see it
        stream.reached(stream.close(1))

    assert stages(org) == [("1", "Closed Won")]
    assert any("people and roles beside deals wait" in told for told in stream.told)


def test_a_client_of_deals_alone_is_asked_for_nothing_beside(org: Org, stream: Stream) -> None:
    org.set("tables: [opportunities]")
    with stream:
        stream.begun()
        org.queries()
        stream.reached(stream.close(1))

    assert stages(org) == [("1", "Closed Won")]
    assert all("FROM Opportunity " in query for query in org.queries())
