"""Subscribe to a topic of Salesforce's event bus, from where one was, as fast as one can follow."""

import json
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Timer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import fastavro
import grpc

from pipelines.sources.errors import PlatformError
from pipelines.sources.events import eventbus_pb2 as wire
from pipelines.sources.events.bus_errors import SchemaGone, named
from pipelines.sources.events.eventbus_pb2_grpc import PubSubStub
from pipelines.sources.platforms.salesforce_rest import Session

READY_FOR = 100  # events that may wait here; the bus allows no more
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

    Every error is raised as PlatformError, with what it means for the place one has reached.
    """

    def __init__(self, address: str, session: Session) -> None:
        self._address, self._session = address, session
        self._schemas: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._channel = _channel(self._address)
        self._stub = PubSubStub(self._channel)
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def follow(self, topic: str, place: Place, silence: float = SILENCE) -> Iterator[Answer]:
        """Yield what is published on a topic, for as long as the bus and the caller go on.

        More is asked for when the caller comes for the next answer, so that no more than
        `READY_FOR` events wait: who is slow slows the bus, and loses nothing. A bus that is silent
        for longer than `silence` is taken for cut off.
        """
        requests: SimpleQueue[wire.FetchRequest | None] = SimpleQueue()
        requests.put(
            wire.FetchRequest(
                topic_name=topic,
                replay_preset=place.preset,
                replay_id=place.replay_id,
                num_requested=READY_FOR,
            )
        )
        call = self._stub.Subscribe(iter(requests.get, None), metadata=self._metadata())
        try:
            while True:
                answer = _next(call, silence)
                events = [
                    Event(each.replay_id, each.event.schema_id, each.event.payload)
                    for each in answer.events
                ]
                yield Answer(events, _place(answer))
                if events:
                    requests.put(wire.FetchRequest(topic_name=topic, num_requested=len(events)))
        except grpc.RpcError as error:
            raise named(error, "subscription") from None
        finally:
            requests.put(None)
            call.cancel()

    def schema(self, schema_id: str) -> Any:
        """Return the parsed schema of an event; each is asked for once."""
        if schema_id not in self._schemas:
            try:
                found = self._stub.GetSchema(
                    wire.SchemaRequest(schema_id=schema_id),
                    metadata=self._metadata(),
                    timeout=PATIENCE,
                )
            except grpc.RpcError as error:
                raise named(error, "schema") from None
            self._schemas[schema_id] = _parsed(found.schema_json)
        return self._schemas[schema_id]

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


def _place(answer: wire.FetchResponse) -> bytes:
    """Return the replay id to go on from. A sign of life must not overtake what was not sent yet."""
    if answer.events:
        return answer.events[-1].replay_id
    return answer.latest_replay_id if answer.pending_num_requested else b""


def _next(call: Any, silence: float) -> wire.FetchResponse:
    """Wait for the next answer, and break the subscription off after too long a silence."""
    over = Timer(silence, call.cancel)
    over.daemon = True
    over.start()
    try:
        return next(call)
    except StopIteration:
        raise PlatformError(
            "connection_cut", "the event bus ended the subscription", passes=True
        ) from None
    finally:
        over.cancel()


def _channel(address: str) -> grpc.Channel:
    """Return a private connection; an open one only to this machine, as tests and the demo have it."""
    if urlsplit(f"//{address}").hostname in ("127.0.0.1", "localhost"):
        return grpc.insecure_channel(address, options=ALIVE)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(), options=ALIVE)
