"""Subscribe to a topic of Salesforce's event bus, from where one was, as fast as one can follow."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import fastavro
import grpc

from pipelines.sources.errors import PlatformError
from pipelines.sources.events import event_loop
from pipelines.sources.events import eventbus_pb2 as wire
from pipelines.sources.events.bus_errors import SchemaGone, named
from pipelines.sources.events.eventbus_pb2_grpc import PubSubStub
from pipelines.sources.events.inbox import Inbox
from pipelines.sources.platforms.salesforce_rest import Session

READY_FOR = 100  # events that are on their way; the bus allows no more
WAITING = 2_000  # events that may wait here until those before them are in the lake
SILENCE = 300.0  # seconds; the bus gives a sign of life within 270
PATIENCE = 30.0  # seconds for a question that is answered once
ALIVE = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.enable_retries", 0),
)


class Event(NamedTuple):
    """What was published: its place on the bus, and its content in Avro by a schema of that id."""

    replay_id: bytes
    schema_id: str
    payload: bytes


class Answer(NamedTuple):
    """What the bus sends: events, or none as a sign of life.

    Once the events are dealt with, one may go on from `place`: the last of them, or of a sign of life
    the newest of the topic. It is empty where events may wait at the bus, as none were asked for.
    """

    events: list[Event]
    place: bytes


class Place(NamedTuple):
    """Where on a topic a subscription begins: after a replay id, or at one of the two ends."""

    preset: wire.ReplayPreset
    replay_id: bytes = b""


NOW, EARLIEST = Place(wire.LATEST), Place(wire.EARLIEST)


def after(replay_id: bytes) -> Place:
    """Return the place behind an event."""
    return Place(wire.CUSTOM, replay_id)


class Bus:
    """A connection to the bus for one session of an org: `with Bus(address, session) as bus`.

    Every error is raised as PlatformError, with what it means for the place one has reached. `stop`
    ends what is followed, from any thread.
    """

    def __init__(self, address: str, session: Session) -> None:
        self._address, self._session = address, session
        self._schemas: dict[str, Any] = {}
        self._inbox: Inbox[Answer] = Inbox(WAITING)
        self._is_stopped = False

    def __enter__(self) -> Self:
        self._channel = event_loop.answer(_channel(self._address))
        self._stub: Any = PubSubStub(self._channel)
        return self

    def __exit__(self, *_: object) -> None:
        event_loop.answer(self._channel.close())

    def follow(self, topic: str, place: Place, silence: float = SILENCE) -> Iterator[Answer]:
        """Yield what is published on a topic, all that has come at once, until it is stopped.

        No more than `WAITING` events wait here: then none are asked for, so who is slow slows the
        bus, and loses nothing. A bus that is silent for longer than `silence` is taken for cut off.
        """
        self._inbox = inbox = Inbox[Answer](WAITING)
        if self._is_stopped:
            return
        first = wire.FetchRequest(
            topic_name=topic,
            replay_preset=place.preset,
            replay_id=place.replay_id,
            num_requested=READY_FOR,
        )
        receiving = event_loop.start(self._receive(first, inbox))
        try:
            while taken := inbox.take(silence):
                answers, asked = taken
                if not answers:
                    raise PlatformError(
                        "connection_cut",
                        f"the event bus gave no sign of life for {silence:.0f} s",
                        passes=True,
                    )
                if asked:
                    event_loop.answer(self._ask(topic, asked))
                yield _together(answers)
        except grpc.RpcError as error:
            raise named(error, "subscription") from None
        finally:
            receiving.cancel()

    def stop(self) -> None:
        """End what is followed; what was received is left, and comes again the next time."""
        self._is_stopped = True
        self._inbox.end()

    def schema(self, schema_id: str) -> Any:
        """Return the parsed schema of an event; each is asked for once."""
        if schema_id not in self._schemas:
            try:
                found = event_loop.answer(self._asked_schema(schema_id))
            except grpc.RpcError as error:
                raise named(error, "schema") from None
            self._schemas[schema_id] = _parsed(found.schema_json)
        return self._schemas[schema_id]

    async def _asked_schema(self, schema_id: str) -> wire.SchemaInfo:
        request = wire.SchemaRequest(schema_id=schema_id)
        return await self._stub.GetSchema(request, metadata=self._metadata(), timeout=PATIENCE)

    async def _receive(self, first: wire.FetchRequest, inbox: Inbox[Answer]) -> None:
        """Put into the inbox what comes, and its end."""
        self._writing = asyncio.Lock()  # gRPC sends one request at a time
        self._call = self._stub.Subscribe(metadata=self._metadata())
        try:
            await self._call.write(first)
            while (answer := await self._call.read()) is not grpc.aio.EOF:
                events = [
                    Event(each.replay_id, each.event.schema_id, each.event.payload)
                    for each in answer.events
                ]
                if asked := inbox.put(Answer(events, _place(answer)), len(events)):
                    await self._ask(first.topic_name, asked)
            raise PlatformError(
                "connection_cut", "the event bus ended the subscription", passes=True
            )
        except Exception as error:
            inbox.end(error)
        finally:
            self._call.cancel()

    async def _ask(self, topic: str, events: int) -> None:
        """Ask for more events; where the call is over, that is read next."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            async with self._writing:
                await self._call.write(wire.FetchRequest(topic_name=topic, num_requested=events))

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        session = self._session
        return (
            ("accesstoken", session.token),
            ("instanceurl", session.address),
            ("tenantid", session.org),
        )


def _parsed(schema: str) -> Any:
    try:
        return fastavro.parse_schema(json.loads(schema))
    except Exception as error:  # fastavro raises whatever a text leads it to
        reason = f"{type(error).__name__}: {error}"[:200]
        raise SchemaGone(
            "malformed_answer", f"the event bus gives a schema that is none: {reason}", passes=True
        ) from None


def _together(answers: list[Answer]) -> Answer:
    """Return several answers as one: all events in their order, and the last place that is known."""
    places = [each.place for each in answers if each.place]
    return Answer([event for each in answers for event in each.events], (places or [b""])[-1])


def _place(answer: wire.FetchResponse) -> bytes:
    """Return the replay id to go on from. A sign of life must not overtake what was not sent yet."""
    if answer.events:
        return answer.events[-1].replay_id
    return answer.latest_replay_id if answer.pending_num_requested else b""


async def _channel(address: str) -> grpc.aio.Channel:
    """Return a private connection; an open one only to this machine, as tests and the demo have it."""
    if urlsplit(f"//{address}").hostname in ("127.0.0.1", "localhost"):
        return grpc.aio.insecure_channel(address, options=ALIVE)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(), options=ALIVE)
