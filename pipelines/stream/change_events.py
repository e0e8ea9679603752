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
PATIENCE = timedelta(seconds=30)


class ChangeEvents:
    """The change events of one client's deals.

    Without a place, or where the bus no longer has it, all that changed is asked for, and then the
    topic is read from its beginning: nothing lies between the two. Events of what was asked for
    anyway are passed over. A place is only remembered when all up to it is in the lake, and a sign
    of life never overtakes an event.
    """

    def __init__(self, client: str, api: SalesforceApi, address: str) -> None:
        self._client, self._api, self._address = client, api, address
        self._known_until = datetime.min.replace(tzinfo=timezone.utc)
        self._tries: dict[bytes, int] = {}

    def notices(self) -> Iterator[Notice]:
        """Yield what changed. Raise PlatformError where the bus, or the org, does not answer."""
        session = session_of(self._client, self._api, datetime.now(timezone.utc) + PATIENCE)
        with Bus(self._address, session) as bus:
            cursor = cursors.read(self._client, TOPIC)
            if not cursor:
                yield from self._catch_up("it is followed for the first time")
            try:
                yield from self._follow(bus, after(cursor.replay_id) if cursor else EARLIEST)
            except PlaceGone:
                cursors.forget(self._client, TOPIC)
                yield from self._catch_up(
                    "the event bus no longer had what came after the last event"
                )
                yield from self._follow(bus, EARLIEST)

    def _catch_up(self, why: str) -> Iterator[Notice]:
        """Ask for everything, and remember until when events tell nothing new."""
        now = datetime.now(timezone.utc)
        yield Notice([], is_everything=True, told=f"{why}: all that changed was asked for")
        self._known_until = now - LATE

    def _follow(self, bus: Bus, place: Place) -> Iterator[Notice]:
        for answer in bus.follow(TOPIC, place):
            yield self._notice(bus, answer)

    def _notice(self, bus: Bus, answer: Answer) -> Notice:
        changes, told = [], []
        for event in answer.events:
            try:
                changes.append(self._read(bus, event))
            except Undecodable as error:
                told.append(f"an event was set aside, {self._set_aside(event)}: {error}")
        new = [each for each in changes if each.committed_at > self._known_until]
        return Notice(
            [one for each in new for one in each.ids],
            is_everything=bool(told) or any(each.is_lost for each in new),
            place=answer.place.hex(),
            reached=partial(self._reach, answer.place),
            told="; ".join(told),
        )

    def _reach(self, place: bytes) -> None:
        if place:
            cursors.write(self._client, TOPIC, place)

    def _read(self, bus: Bus, event: Event) -> Change:
        """Read an event. Raise PlatformError where it fails, and Undecodable after five tries."""
        try:
            return change(event, bus.schema(event.schema_id))
        except (SchemaGone, Undecodable) as error:
            reason = str(error)
        self._tries[event.replay_id] = self._tries.get(event.replay_id, 0) + 1
        if self._tries[event.replay_id] < TRIES:
            raise PlatformError(
                "malformed_answer", f"an event is unreadable: {reason}", passes=True
            )
        raise Undecodable(reason)

    def _set_aside(self, event: Event) -> Path:
        """Keep an event that cannot be read, for whoever looks into it."""
        folder = working_folder(self._client) / "stream" / "undecodable"
        file = folder / f"{event.replay_id.hex()}.{event.schema_id or 'no-schema'}.avro"
        write_atomically(file, event.payload)
        return file
