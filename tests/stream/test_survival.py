"""Whatever the bus, the org or the clock does: every change is in the lake, once, and nobody waits."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from demo.servers import Status
from demo.servers.event_bus import EventBus
from pipelines.sources.events import eventbus_pb2 as wire
from pipelines.sources.events import subscription
from pipelines.sources.events.subscription import READY_FOR
from pipelines.stream.change_events import TRIES
from tests.builders.disturbances import disturb
from tests.builders.org import Org
from tests.builders.streams import Stream, org_of
from tests.conftest import House

BAD = b"\xff" * 40  # no event of any schema
HOUR = timedelta(hours=1)
UNWELL = Status(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "away"}], path="query")


@pytest.fixture
def org(house: House) -> Iterator[Org]:
    with org_of(house.home, "two") as org:
        org.set("tables: [opportunities]")
        yield org


@pytest.fixture
def bus(org: Org) -> Iterator[EventBus]:
    with EventBus(org.server) as bus:
        bus.keepalive = 0.05
        yield bus


@pytest.fixture
def stream(org: Org, bus: EventBus) -> Stream:
    return Stream(org, bus)


@pytest.fixture
def neighbour(house: House) -> Iterator[Stream]:
    """Another client's stream, of a CRM and a bus of its own."""
    with org_of(house.home, "three") as org, EventBus(org.server) as bus:
        org.set("tables: [opportunities]")
        bus.keepalive = 0.05
        yield Stream(org, bus)


def stages(org: Org) -> list[tuple]:
    """Return every version of every deal, oldest first."""
    return org.deals("opportunity_id[15], stage")


def closed(*numbers: int) -> list[tuple]:
    return [(str(number), "Closed Won") for number in numbers]


# The place on the topic.


def test_a_place_older_than_the_bus_keeps_is_caught_up_and_told(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
    stream.close(2)
    stream.bus.age(timedelta(hours=73))
    kept = stream.close(3)
    with stream:
        stream.reached(kept)

    assert sorted(stages(org)) == closed(1, 2, 3)
    (told,) = [text for text in stream.told if "no longer had" in text]
    assert "all changes were asked for" in told
    presets = [each.replay_preset for each in stream.bus.subscriptions]
    assert presets == [wire.EARLIEST, wire.CUSTOM, wire.EARLIEST]


def test_what_comes_between_the_catching_up_and_the_subscription_is_there(
    org: Org, stream: Stream
) -> None:
    stream.bus.moved = HOUR  # by the clock of the bus long after the org was asked
    stream.after = lambda notice: stream.close(1) if not stream.brought else None
    with stream:
        stream.begun()
        stream.reached(stream.close(2))

    assert stages(org) == closed(1, 2)


@pytest.mark.parametrize("answers", [0, 1])
def test_a_break_before_there_is_a_place_loses_nothing(
    org: Org, stream: Stream, answers: int
) -> None:
    def first(notice: object) -> None:
        if not stream.brought:
            stream.bus.cut(answers)
            stream.close(1)

    stream.after = first
    with stream:
        stream.reached(stream.close(2))

    assert sorted(stages(org)) == closed(1, 2)
    assert {each.replay_preset for each in stream.bus.subscriptions} <= {
        wire.EARLIEST,
        wire.CUSTOM,
    }


def test_a_bus_that_is_down_at_first_does_not_make_the_org_be_asked_again_and_again(
    org: Org, stream: Stream
) -> None:
    stream.bus.go_down()
    with stream:
        stream.until(lambda: sum("tried again" in text for text in stream.told) >= 3)
        stream.close(1)
        stream.bus.come_up()
        stream.reached(stream.close(2))

    assert stages(org) == closed(1, 2)
    assert sum("Id IN" not in query for query in org.queries()) == 1


def test_an_hour_without_the_bus_is_read_afterwards_and_no_neighbour_waits(
    org: Org, stream: Stream, neighbour: Stream
) -> None:
    with neighbour, stream:
        stream.reached(stream.close(1))
        stream.bus.go_down()
        stream.close(2)
        stream.bus.age(HOUR)
        stream.until(lambda: any("tried again" in text for text in stream.told))
        neighbour.reached(neighbour.close(7))
        stream.close(2, minutes=2, StageName="Reopened", IsWon=False)
        stream.bus.come_up()
        stream.reached(stream.close(3))

    # Of what happened meanwhile the newest counts; nobody was there to see the deal when it closed.
    assert sorted(stages(org)) == [*closed(1), ("2", "Reopened"), *closed(3)]
    assert stages(neighbour.org) == closed(7)


def test_a_sign_of_life_does_not_overtake_what_is_not_written(org: Org, stream: Stream) -> None:
    stuck, release = threading.Event(), threading.Event()

    def block(notice) -> None:
        if notice.ids:
            stuck.set()
            assert release.wait(60)

    with stream:
        stream.reached(before := stream.close(1))
        stream.before = block
        event = stream.close(2)
        assert stuck.wait(60)
        stream.bus.publish("Contact", "003000000000001AAA")  # the topic's newest place goes on
        stream.bus.wait_for_signs(3)
        place = stream.place
        release.set()
        stream.reached(event)

    assert before <= place < event
    assert stages(org) == closed(1, 2)


def test_what_cannot_be_written_pins_the_place(org: Org, stream: Stream) -> None:
    failures: list[bytes] = []

    def fail(notice) -> None:
        if notice.ids and len(failures) < 3:
            failures.append(stream.place)
            raise OSError("no space left on device")

    with stream:
        stream.reached(before := stream.close(1))
        stream.before = fail
        stream.bus.keepalive = 0.01
        event = stream.close(2)
        stream.reached(event)

    assert len(failures) == 3
    assert all(before <= place < event for place in failures)
    assert stages(org) == closed(1, 2)


@pytest.mark.parametrize("kept", [b"", b'{"replay_id": "zz"', b"[]"])
def test_a_torn_place_is_no_place(org: Org, stream: Stream, kept: bytes) -> None:
    with stream:
        stream.reached(stream.close(1))
    stream.close(2)
    (file,) = (org.home / "lake/two/_pipelines/stream").glob("*.json")
    file.write_bytes(kept)
    with stream:
        stream.reached(stream.close(3))

    assert sorted(stages(org)) == closed(1, 2, 3)


# What events say.


def test_many_unreadable_events_take_no_more_tries_than_one(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
    for number in range(20):
        stream.bus.publish("Opportunity", f"006{number:012}AAA", payload=BAD)
    org.deal(2, minutes=2)  # told by one of them
    tries = len(stream.bus.subscriptions)
    with stream:
        stream.reached(stream.close(3))

    assert len(stream.bus.subscriptions) - tries <= TRIES + 1
    assert sorted(stages(org)) == [*closed(1), ("2", "Open"), *closed(3)]
    (told,) = [text for text in stream.told if "set aside" in text]
    folder = org.home / "lake/two/_pipelines/stream/undecodable"
    files = [*folder.iterdir()]
    assert [file.read_bytes() for file in files] == [BAD] * 20
    assert all(str(file) in told for file in files)


@pytest.mark.parametrize("schema", ["", "{}", '{"type": "record"}', "<html>"])
def test_a_schema_that_is_none_does_not_stop_the_stream(
    org: Org, stream: Stream, schema: str
) -> None:
    with stream:
        stream.reached(stream.close(1))
        stream.bus.spoilt_schemas["Opportunity-1"] = schema
        deal = org.deal(2, minutes=2, StageName="Closed Won")
        stream.bus.publish("Opportunity", deal["Id"], Region__c="North")
        stream.until(lambda: any("set aside" in text for text in stream.told))
        del stream.bus.spoilt_schemas["Opportunity-1"]
        stream.reached(stream.close(3, minutes=3))

    assert stages(org) == closed(1, 2, 3)


@pytest.mark.parametrize("ids", [("006*",), (), ("006000000000001AAA", "006*")])
def test_where_the_ids_are_not_known_everything_is_asked_for(
    org: Org, stream: Stream, ids: tuple[str, ...]
) -> None:
    with stream:
        stream.reached(stream.close(1))
        for number in (2, 3):
            org.deal(number, minutes=2, StageName="Closed Won")
        stream.reached(stream.bus.publish("Opportunity", *ids, change="UPDATE"))

    assert sorted(stages(org)) == closed(1, 2, 3)


def test_a_new_field_while_running_is_read(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1))
        for number, field in enumerate(("Region__c", "Tier__c", "Region__c"), start=2):
            deal = org.deal(number, 2, StageName="Closed Won")
            event = stream.bus.publish("Opportunity", deal["Id"], **{field: "North"})
        stream.reached(event)

    assert stages(org) == closed(1, 2, 3, 4)
    assert set(stream.bus.schemas_asked.values()) == {1}
    assert [text for text in stream.told if "set aside" in text] == []


def test_equal_and_late_stamps_are_versions_all_the_same(org: Org, stream: Stream) -> None:
    with stream:
        stream.reached(stream.close(1, minutes=60))
        stream.reached(stream.close(1, minutes=60, StageName="Lost", IsWon=False))
        stream.reached(stream.close(1, minutes=30, StageName="Won again"))
        stream.reached(stream.close(2, minutes=-60))
    org.poll()

    assert stages(org) == [*closed(1), ("1", "Lost"), ("1", "Won again"), *closed(2)]


@pytest.mark.parametrize("clock", [-HOUR, HOUR], ids=["slow", "fast"])
def test_a_clock_of_ours_that_is_wrong_passes_no_event_over(
    org: Org, stream: Stream, clock: timedelta
) -> None:
    stream.bus.moved = org.server.moved = -clock
    stream.after = lambda notice: stream.close(1) if not stream.brought else None
    with stream:
        stream.begun()
        stream.reached(stream.close(2))

    assert stages(org) == closed(1, 2)


# Flow, and the neighbours.


def test_who_is_slow_slows_the_bus_and_loses_nothing(
    org: Org, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "WAITING", 2 * READY_FOR)
    stuck, release = threading.Event(), threading.Event()

    def block(notice) -> None:
        if notice.ids and not stuck.is_set():
            stuck.set()
            assert release.wait(60)

    with stream:
        stream.reached(stream.close(0))
        delivered = stream.bus.delivered
        stream.before = block
        stream.close(1)
        assert stuck.wait(60)
        for number in range(1, 10 * READY_FOR):
            last = stream.close(number % 7, minutes=number)
        stream.bus.wait_for_signs(3)
        waiting = stream.bus.delivered - delivered
        release.set()
        stream.reached(last)

    # One is stuck, two hundred wait, and a hundred are on their way at most.
    assert READY_FOR < waiting <= 3 * READY_FOR + 1
    assert stream.bus.delivered - delivered == 10 * READY_FOR
    assert {row[0] for row in stages(org)} == {str(number) for number in range(7)}


def test_an_org_that_is_away_makes_no_neighbour_wait(
    org: Org, stream: Stream, neighbour: Stream
) -> None:
    org.set("tables: [opportunities]", patience=5)
    org.server.fail(UNWELL, times=None)
    with neighbour, stream:
        stream.until(lambda: any("query" in one.path for one in org.server.requests))
        neighbour.reached(neighbour.close(7))
        assert stages(org) == []
        org.server.heal()
        stream.reached(stream.close(1))

    assert stages(org) == closed(1)
    assert stages(neighbour.org) == closed(7)


def test_two_that_follow_one_client_double_nothing(org: Org, stream: Stream) -> None:
    with stream, Stream(org, stream.bus) as second:
        stream.begun()
        for number in range(5):
            last = stream.close(number)
        stream.reached(last)
        second.reached(last)

    assert sorted(stages(org)) == closed(*range(5))


@pytest.mark.parametrize("seed", range(3))
def test_faults_in_any_order_leave_the_lake_as_if_there_were_none(house: House, seed: int) -> None:
    assert disturb(house.home, seed, steps=20) == []
