"""Salesforce's event bus: what is published is read once, in order, from where one was."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path

import pytest
from grpc_tools import protoc

from demo.servers.event_bus import EventBus
from demo.servers.salesforce_server import SalesforceServer
from pipelines.settings.apis import SalesforceApi
from pipelines.sources.errors import PlatformError
from pipelines.sources.events import subscription
from pipelines.sources.events.bus_errors import PlaceGone, SchemaGone
from pipelines.sources.events.changes import Undecodable, change
from pipelines.sources.events.subscription import (
    EARLIEST,
    NOW,
    READY_FOR,
    Answer,
    Bus,
    Event,
    after,
)
from pipelines.sources.platforms.salesforce_rest import Session, session_of

TOPIC = "/data/OpportunityChangeEvent"
DEAL = "006000000000001AAA"
STUBS = Path("pipelines/sources/events")


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Iterator[SalesforceServer]:
    with SalesforceServer() as server:
        for key, value in server.credentials.items():
            monkeypatch.setenv(f"CLIENTS__ACME__SALESFORCE__{key}".upper(), value)
        yield server


@pytest.fixture
def bus(org: SalesforceServer) -> Iterator[EventBus]:
    with EventBus(org) as server:
        server.keepalive = 0.05
        yield server


@pytest.fixture
def connected(org: SalesforceServer, bus: EventBus) -> Iterator[Bus]:
    with Bus(bus.address, session(org)) as connection:
        yield connection


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more events wait than the bus sends at once."""
    monkeypatch.setattr(subscription, "WAITING", READY_FOR)


def wait_until_full(bus: EventBus) -> None:
    """Wait until no more has room beside what was taken, and a sign of life after that."""
    for _ in range(200):
        full = bus.delivered >= 2 * READY_FOR
        bus.wait_for_signs(1)
        if full:
            return
    pytest.fail(f"only {bus.delivered} events were asked for")


def events_until(answers: Iterator[Answer], last: bytes) -> list[Event]:
    """Return the events that come until one of them was read."""
    found: list[Event] = []
    while not found or found[-1].replay_id != last:
        found += next(answers).events
    return found


def session(org: SalesforceServer) -> Session:
    until = datetime.now(timezone.utc) + timedelta(seconds=10)
    return session_of("acme", SalesforceApi(base_url=org.url), until)


def events_of(answers: Iterator[Answer], count: int) -> list[bytes]:
    """Return the replay ids of so many events, and close the subscription."""
    return [*islice((event.replay_id for answer in answers for event in answer.events), count)]


def test_a_session_names_its_org(org: SalesforceServer) -> None:
    assert session(org).org == "00D000000000001AAA"


def test_every_event_is_read_once_and_in_order(bus: EventBus, connected: Bus) -> None:
    published = [bus.publish("Opportunity", DEAL) for _ in range(3 * READY_FOR)]

    assert events_of(connected.follow(TOPIC, EARLIEST), len(published)) == published


def test_an_event_says_which_records_changed_and_how(bus: EventBus, connected: Bus) -> None:
    bus.publish("Opportunity", DEAL, "006000000000002AAA", change="DELETE", StageName="Closed Won")
    event = next(connected.follow(TOPIC, EARLIEST)).events[0]

    told = change(event, connected.schema(event.schema_id))
    assert (told.entity, told.kind) == ("Opportunity", "DELETE")
    assert (told.ids, told.is_lost) == ([DEAL, "006000000000002AAA"], False)
    assert abs(told.committed_at - datetime.now(timezone.utc)) < timedelta(minutes=1)


def test_one_goes_on_behind_the_last_event(bus: EventBus, connected: Bus) -> None:
    first, *further = [bus.publish("Opportunity", DEAL) for _ in range(3)]

    assert events_of(connected.follow(TOPIC, after(first)), 2) == further


def test_what_was_published_before_a_subscription_is_not_its(bus: EventBus, connected: Bus) -> None:
    bus.publish("Opportunity", DEAL)
    answers = connected.follow(TOPIC, NOW)
    assert next(answers).events == []  # a sign of life: the subscription stands

    published = bus.publish("Opportunity", DEAL)
    assert events_of(answers, 1) == [published]


def test_no_more_events_wait_than_there_is_room_for(
    bus: EventBus, connected: Bus, little_room: None
) -> None:
    published = [bus.publish("Opportunity", DEAL) for _ in range(3 * READY_FOR)]
    answers = connected.follow(TOPIC, EARLIEST)

    taken = next(answers).events
    wait_until_full(bus)  # while the caller is busy: nothing more is asked for
    assert len(taken) == READY_FOR
    assert bus.delivered == 2 * READY_FOR  # the rest waits at the bus, until the caller comes again
    taken += events_until(answers, published[-1])
    assert [each.replay_id for each in taken] == published


def test_a_sign_of_life_tells_the_newest_place_of_the_topic(bus: EventBus, connected: Bus) -> None:
    elsewhere = bus.publish("Contact", "003000000000001AAA")
    answer = next(connected.follow(TOPIC, NOW))

    assert (answer.events, answer.place) == ([], elsewhere)


def test_a_sign_of_life_does_not_overtake_what_waits(
    bus: EventBus, connected: Bus, little_room: None
) -> None:
    for _ in range(3 * READY_FOR):
        bus.publish("Opportunity", DEAL)
    answers = connected.follow(TOPIC, EARLIEST)
    next(answers)
    wait_until_full(bus)  # signs of life come while the caller is busy: more was not asked for yet

    answer = next(answers)
    assert answer.place == answer.events[-1].replay_id


def test_a_place_that_is_too_old_is_told_as_that(bus: EventBus, connected: Bus) -> None:
    old = bus.publish("Opportunity", DEAL)
    bus.publish("Opportunity", DEAL)
    bus.forget()

    with pytest.raises(PlaceGone):
        next(connected.follow(TOPIC, after(old)))


def test_a_schema_that_is_refused_says_nothing_of_the_place(bus: EventBus, connected: Bus) -> None:
    bus.publish("Opportunity", DEAL)
    event = next(connected.follow(TOPIC, EARLIEST)).events[0]
    bus.broken_schemas[event.schema_id] = 1

    with pytest.raises(SchemaGone) as refused:
        connected.schema(event.schema_id)
    assert refused.value.passes
    assert change(event, connected.schema(event.schema_id)).ids == [DEAL]


def test_a_new_field_of_the_org_is_a_new_schema(bus: EventBus, connected: Bus) -> None:
    bus.publish("Opportunity", DEAL)
    bus.publish("Opportunity", DEAL, Region__c="North")
    events = next(connected.follow(TOPIC, EARLIEST)).events

    assert [change(each, connected.schema(each.schema_id)).ids for each in events] == [[DEAL]] * 2
    assert len({each.schema_id for each in events}) == 2


@pytest.mark.parametrize("payload", [b"", b"\xff" * 40, bytes(400)])
def test_what_its_schema_does_not_describe_is_undecodable(
    bus: EventBus, connected: Bus, payload: bytes
) -> None:
    bus.publish("Opportunity", DEAL, payload=payload)
    event = next(connected.follow(TOPIC, EARLIEST)).events[0]

    with pytest.raises(Undecodable):
        change(event, connected.schema(event.schema_id))


def test_a_session_that_ended_is_to_be_renewed(
    org: SalesforceServer, bus: EventBus, connected: Bus
) -> None:
    org.end_sessions()

    for ask in (lambda: next(connected.follow(TOPIC, NOW)), lambda: connected.schema("any")):
        with pytest.raises(PlatformError) as refused:
            ask()
        assert (refused.value.code, refused.value.renew) == ("credentials_expired", True)


def test_a_break_passes_and_one_goes_on_where_one_was(bus: EventBus, connected: Bus) -> None:
    first, second = (bus.publish("Opportunity", DEAL) for _ in range(2))
    bus.cut()

    with pytest.raises(PlatformError) as broken:
        next(connected.follow(TOPIC, after(first)))
    assert broken.value.passes
    assert events_of(connected.follow(TOPIC, after(first)), 1) == [second]


def test_a_bus_that_says_nothing_is_taken_for_cut_off(bus: EventBus, connected: Bus) -> None:
    bus.keepalive = 60

    with pytest.raises(PlatformError) as silent:
        next(connected.follow(TOPIC, NOW, silence=0.2))
    assert silent.value.passes


def test_a_bus_that_is_down_is_told_and_passes(org: SalesforceServer) -> None:
    with EventBus(org) as gone:
        pass

    with Bus(gone.address, session(org)) as connection, pytest.raises(PlatformError) as down:
        next(connection.follow(TOPIC, NOW))
    assert (down.value.code, down.value.passes) == ("connection_cut", True)


def test_the_protocol_in_python_is_that_of_its_file(tmp_path: Path) -> None:
    options = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    assert protoc.main(["protoc", "-I.", *options, str(STUBS / "eventbus.proto")]) == 0

    for file in sorted(STUBS.glob("eventbus_pb2*.py*")):
        assert (tmp_path / file).read_text() == file.read_text(), "run `make stubs`"
