"""Speak Salesforce's Pub/Sub API: subscribe with flow control, replay, schemas, and their errors.

Events are kept for `retention` after they were published. A replay id is opaque to subscribers; one
that the bus no longer keeps is refused with the platform's own trailer. The bus knows sessions as the
org's REST interface issues them: `EventBus(org)`.
"""

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple, Self

import fastavro
import grpc

from demo.servers.salesforce_server import SalesforceServer
from pipelines.sources.events import eventbus_pb2 as wire
from pipelines.sources.events import eventbus_pb2_grpc as service

ERRORS = "sfdc.platform.eventbus.grpc"
BATCH = 100  # events of one answer

HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "namespace": "com.sforce.eventbus",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": {"type": "array", "items": "string"}},
        {
            "name": "changeType",
            "type": {
                "type": "enum",
                "name": "ChangeType",
                "symbols": [
                    "CREATE",
                    "UPDATE",
                    "DELETE",
                    "UNDELETE",
                    "GAP_CREATE",
                    "GAP_UPDATE",
                    "GAP_DELETE",
                    "GAP_UNDELETE",
                    "GAP_OVERFLOW",
                    "SNAPSHOT",
                ],
            },
        },
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": {"type": "array", "items": "string"}},
        {"name": "diffFields", "type": {"type": "array", "items": "string"}},
        {"name": "changedFields", "type": {"type": "array", "items": "string"}},
    ],
}


def schema(entity: str, fields: tuple[str, ...]) -> dict:
    """Return the Avro schema of an entity's change events: its header, and each field or nothing."""
    body = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    return {
        "type": "record",
        "name": f"{entity}ChangeEvent",
        "namespace": "com.sforce.eventbus",
        "fields": [{"name": "ChangeEventHeader", "type": HEADER}, *body],
    }


class Kept(NamedTuple):
    """An event as the bus keeps it."""

    number: int
    topic: str
    published: float
    event: wire.ProducerEvent


class EventBus(service.PubSubServicer):
    """Serve change events on a free local port while used as a context manager."""

    def __init__(self, org: SalesforceServer, workers: int = 64) -> None:
        self.org = org
        self.retention = timedelta(hours=72)
        self.keepalive = 270.0
        self.subscriptions: list[wire.FetchRequest] = []  # the first request of each
        self.delivered = self.signs = 0  # events, and answers without any
        self.schemas_asked: Counter[str] = Counter()
        self.refuse_sessions = False
        self.refuse_topic = False  # as an org does that has not selected the object
        self.end_session_at_schema = False  # once
        self.moved = timedelta(0)  # how far the clock of commits is from that of this machine
        self.broken_schemas: Counter[str] = Counter()  # by schema id: how often it is refused yet
        self.spoilt_schemas: dict[str, str] = {}  # by schema id: what is answered in its place
        self._schemas: dict[str, dict] = {}
        self._fields: dict[str, tuple[str, ...]] = {}
        self._kept: list[Kept] = []
        self._number = 0
        self._cuts: list[int] = []
        self._changed = threading.Condition()
        self._is_open = True
        self._workers = workers
        self._server, port = self._listening(0)
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_down()

    def go_down(self) -> None:
        """Hang up on every subscriber, and answer nobody; what is published meanwhile is kept."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._server.stop(grace=0.2).wait()

    def come_up(self) -> None:
        """Answer again, at the same address."""
        self._is_open = True
        self._server, _ = self._listening(int(self.address.rpartition(":")[2]))
        self._server.start()

    def _listening(self, port: int) -> tuple[grpc.Server, int]:
        server = grpc.server(ThreadPoolExecutor(self._workers), options=[("grpc.so_reuseport", 0)])
        service.add_PubSubServicer_to_server(self, server)
        return server, server.add_insecure_port(f"127.0.0.1:{port}")

    def publish(
        self,
        entity: str,
        *ids: str,
        change: str = "UPDATE",
        payload: bytes | None = None,
        **fields: str,
    ) -> bytes:
        """Publish that records changed, and return the event's replay id.

        A field that no event had before makes a new schema. `payload` replaces what would be sent.
        """
        with self._changed:
            self._number += 1
            known = self._fields.get(entity, ())
            self._fields[entity] = (*known, *sorted(fields.keys() - set(known)))
            name = self._schema_of(entity)
            body = {field: fields.get(field) for field in self._fields[entity]}
            header = self._header(entity, ids, change)
            sent = _avro(self._schemas[name], {"ChangeEventHeader": header, **body})
            event = wire.ProducerEvent(
                id=f"event-{self._number}",
                schema_id=name,
                payload=sent if payload is None else payload,
            )
            self._kept.append(Kept(self._number, f"/data/{entity}ChangeEvent", time.time(), event))
            self._changed.notify_all()
            return _replay_id(self._number)

    @property
    def newest_schema(self) -> str:
        """Return the id of the schema that came last."""
        return [*self._schemas][-1]

    def cut(self, after: int = 0) -> None:
        """Break each open subscription, or the next one, after so many more answers."""
        with self._changed:
            self._cuts.append(after)
            self._changed.notify_all()

    def wait_for_signs(self, count: int) -> None:
        """Wait until so many more signs of life were sent."""
        seen = self.signs
        with self._changed:
            while self.signs < seen + count:
                self._changed.wait(0.01)

    def age(self, by: timedelta) -> None:
        """Let time pass for what was published: after `retention` the bus no longer has it."""
        with self._changed:
            self._kept = [
                kept._replace(published=kept.published - by.total_seconds()) for kept in self._kept
            ]

    def forget(self) -> None:
        """Forget all events, as after the time that they are kept."""
        self.age(self.retention)

    def Subscribe(
        self, requests: Iterator[wire.FetchRequest], context: grpc.ServicerContext
    ) -> Iterator[wire.FetchResponse]:
        """Answer a subscription, as many events as it asks for."""
        self._admit(context)
        first = next(requests)
        if self.refuse_topic:
            _refuse(context, grpc.StatusCode.NOT_FOUND, "topic.not.found")
        self.subscriptions.append(first)
        asked = _Asked(first.num_requested, requests, self._changed)
        place = self._start(first, context)
        while True:
            answer = self._next(first.topic_name, place, asked, context)
            if answer is None:
                return
            if self._is_cut():
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was reset")
            if answer.events:
                place = _number(answer.events[-1].replay_id)
            yield answer

    def GetSchema(
        self, request: wire.SchemaRequest, context: grpc.ServicerContext
    ) -> wire.SchemaInfo:
        """Answer the schema of an event."""
        if self.end_session_at_schema:
            self.end_session_at_schema = False
            self.org.end_sessions()
        self._admit(context)
        with self._changed:
            self.schemas_asked[request.schema_id] += 1
            if request.schema_id not in self._schemas or self.broken_schemas[request.schema_id] > 0:
                self.broken_schemas[request.schema_id] -= 1
                _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "schema.not.found")
            text = json.dumps(self._schemas[request.schema_id])
            text = self.spoilt_schemas.get(request.schema_id, text)
        return wire.SchemaInfo(schema_json=text, schema_id=request.schema_id)

    def GetTopic(self, request: wire.TopicRequest, context: grpc.ServicerContext) -> wire.TopicInfo:
        """Answer that a topic may be subscribed to."""
        self._admit(context)
        return wire.TopicInfo(topic_name=request.topic_name, can_subscribe=True)

    def _admit(self, context: grpc.ServicerContext) -> None:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        known = self.org.knows(metadata.get("accesstoken", ""))
        if self.refuse_sessions or not known or not metadata.get("tenantid"):
            _refuse(context, grpc.StatusCode.UNAUTHENTICATED, "service.auth.error")

    def _start(self, first: wire.FetchRequest, context: grpc.ServicerContext) -> int:
        """Return the number of the last event that the subscriber has."""
        with self._changed:
            self._expire()
            oldest = self._kept[0].number if self._kept else self._number + 1
            if first.replay_preset == wire.EARLIEST:
                return oldest - 1
            if first.replay_preset == wire.LATEST:
                return self._number
            place = _number(first.replay_id)
            if not oldest - 1 <= place <= self._number:
                _refuse(
                    context,
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "subscription.fetch.replayid.corrupted",
                )
            return place

    def _next(
        self, topic: str, place: int, asked: "_Asked", context: grpc.ServicerContext
    ) -> wire.FetchResponse | None:
        """Wait for events that are asked for, or until it is time for a sign of life."""
        until = time.monotonic() + self.keepalive
        with self._changed:
            while self._is_open and context.is_active() and not asked.is_over:
                found = [
                    kept for kept in self._kept if kept.number > place and kept.topic == topic
                ][: min(BATCH, asked.open)]
                if found or self._cuts:
                    break
                if (left := until - time.monotonic()) <= 0:
                    break
                self._changed.wait(min(left, 0.5))
            else:
                return None
            asked.open -= len(found)
            self.delivered += len(found)
            self.signs += not found
            return wire.FetchResponse(
                events=[
                    wire.ConsumerEvent(event=kept.event, replay_id=_replay_id(kept.number))
                    for kept in found
                ],
                latest_replay_id=_replay_id(self._number),
                pending_num_requested=asked.open,
            )

    def _is_cut(self) -> bool:
        with self._changed:
            if self._cuts and self._cuts[0] <= 0:
                self._cuts.pop(0)
                return True
            if self._cuts:
                self._cuts[0] -= 1
            return False

    def _expire(self) -> None:
        oldest = time.time() - self.retention.total_seconds()
        self._kept = [kept for kept in self._kept if kept.published >= oldest]

    def _schema_of(self, entity: str) -> str:
        name = f"{entity}-{len(self._fields[entity])}"
        self._schemas.setdefault(name, schema(entity, self._fields[entity]))
        return name

    def _header(self, entity: str, ids: tuple[str, ...], change: str) -> dict:
        return {
            "entityName": entity,
            "recordIds": [*ids],
            "changeType": change,
            "changeOrigin": "com/salesforce/api/rest/62.0",
            "transactionKey": f"transaction-{self._number}",
            "sequenceNumber": 1,
            "commitTimestamp": int((time.time() + self.moved.total_seconds()) * 1000),
            "commitNumber": self._number,
            "commitUser": "005000000000001AAA",
            "nulledFields": [],
            "diffFields": [],
            "changedFields": [],
        }


class _Asked:
    """How many events a subscriber is still ready for; its further requests add to them."""

    def __init__(
        self, first: int, requests: Iterator[wire.FetchRequest], changed: threading.Condition
    ) -> None:
        self.open, self.is_over = first, False
        self._requests, self._changed = requests, changed
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for request in self._requests:
                with self._changed:
                    self.open += request.num_requested
                    self._changed.notify_all()
        except grpc.RpcError:
            pass
        with self._changed:
            self.is_over = True
            self._changed.notify_all()


def _avro(described: dict, record: dict) -> bytes:
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(described), record)
    return written.getvalue()


def _refuse(context: grpc.ServicerContext, code: grpc.StatusCode, error: str) -> None:
    context.set_trailing_metadata((("error-code", f"{ERRORS}.{error}"),))
    context.abort(code, f"{ERRORS}.{error}")


def _replay_id(number: int) -> bytes:
    return b"\x00\x00" + number.to_bytes(8, "big")


def _number(replay_id: bytes) -> int:
    """Return an event's number; -1 if no bus wrote the replay id."""
    return int.from_bytes(replay_id[2:], "big") if len(replay_id) == 10 else -1
