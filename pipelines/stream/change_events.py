"""Hear of changes from Salesforce's event bus: one topic of one client, from where one was."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from pipelines.files import write_atomically
from pipelines.lake.append import working_folder
from pipelines.settings.apis import SalesforceApi
from pipelines.sources.errors import PlatformError
from pipelines.sources.events.bus_errors import PlaceGone, SchemaGone
from pipelines.sources.events.changes import Change, Undecodable, change
from pipelines.sources.events.subscription import EARLIEST, Answer, Bus, Event, Place, after
from pipelines.sources.platforms.salesforce_rest import session_of
from pipelines.stream import cursors
from pipelines.stream.notices import Notice

TOPIC = "/data/OpportunityChangeEvent"
TRIES = 5  # to decode an event before it is set aside
LATE = timedelta(minutes=5)  # a change may be told so much later than it is seen by a query
KEPT = timedelta(hours=48)  # the bus keeps events for 72 hours
PATIENCE = timedelta(seconds=30)
LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class ChangeEvents:
    """The change events of one client's deals.

    Without a place, or where the bus no longer has it, all that changed is asked for, and then the
    topic is read from its beginning: nothing lies between the two. Events of what was asked for
    anyway are passed over. A place is only remembered when all up to it is in the lake, and a sign
    of life never overtakes an event.
    """

    def __init__(self, client: str, api: SalesforceApi, address: str) -> None:
        self._client, self._api, self._address = client, api, address
        self._why = "it is followed for the first time"
        self._caught_up = self._known_until = LONG_AGO
        self._tries: dict[bytes, int] = {}
        self._bus: Bus | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """End the notices, also while one is waited for."""
        self._is_stopped = True
        if bus := self._bus:
            bus.stop()

    def notices(self) -> Iterator[Notice]:
        """Yield what changed. Raise PlatformError where the bus, or the org, does not answer."""
        now = datetime.now(timezone.utc)
        session = session_of(self._client, self._api, now + PATIENCE)
        with Bus(self._address, session) as bus:
            self._bus = bus
            if self._is_stopped:
                return
            if cursor := cursors.read(self._client, TOPIC):
                try:
                    yield from self._follow(bus, after(cursor.replay_id))
                    return
                except PlaceGone:
                    self._why = "the event bus no longer had what came after the last event"
                    self._caught_up = LONG_AGO
            if now - self._caught_up > KEPT:  # else the beginning of the topic still has the rest
                yield Notice(
                    [], is_everything=True, told=f"{self._why}: all changes were asked for"
                )
                self._caught_up = now
                # By the org's clock, which may not be ours; if it is unknown, no event is passed over.
                self._known_until = session.issued_at - LATE if session.issued_at else LONG_AGO
                cursors.forget(self._client, TOPIC)
            yield from self._follow(bus, EARLIEST)

    def _follow(self, bus: Bus, place: Place) -> Iterator[Notice]:
        for answer in bus.follow(TOPIC, place):
            yield self._notice(bus, answer)

    def _notice(self, bus: Bus, answer: Answer) -> Notice:
        changes, told = self._changes(bus, answer.events)
        new = [each for each in changes if each.committed_at > self._known_until]
        return Notice(
            [one for each in new for one in each.ids],
            is_everything=bool(told) or any(each.is_lost for each in new),
            place=answer.place.hex(),
            reached=partial(self._reach, answer.place),
            told="; ".join(told),
            gone=[one for each in new if each.is_deletion for one in each.ids],
        )

    def _reach(self, place: bytes) -> None:
        if place:
            cursors.write(self._client, TOPIC, place)

    def _changes(self, bus: Bus, events: list[Event]) -> tuple[list[Change], list[str]]:
        """Return what events say, and which of them were set aside, as they were unreadable each time.

        Raise PlatformError while one may be readable the next time: all are tried together, so that
        many cost no more time than one.
        """
        changes, unreadable = list[Change](), list[tuple[Event, str]]()
        for event in events:
            try:
                changes.append(change(event, bus.schema(event.schema_id)))
            except (SchemaGone, Undecodable) as error:
                unreadable.append((event, str(error)))
        for event, _ in unreadable:
            self._tries[event.replay_id] = self._tries.get(event.replay_id, 0) + 1
        if again := [one for one in unreadable if self._tries[one[0].replay_id] < TRIES]:
            raise PlatformError(
                "malformed_answer", f"an event is unreadable: {again[0][1]}", passes=True
            )
        told = [
            f"an event was set aside, {self._set_aside(event)}: {reason}"
            for event, reason in unreadable
        ]
        return changes, told

    def _set_aside(self, event: Event) -> Path:
        """Keep an event that cannot be read, for whoever looks into it."""
        folder = working_folder(self._client) / "stream" / "undecodable"
        file = folder / f"{event.replay_id.hex()}.{event.schema_id or 'no-schema'}.avro"
        write_atomically(file, event.payload)
        return file
