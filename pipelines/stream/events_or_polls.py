"""Follow an org's change events; where its bus refuses them, ask for changes instead."""

from collections.abc import Iterator
from time import monotonic

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.errors import PlatformError
from pipelines.stream.change_events import ChangeEvents
from pipelines.stream.notices import Notice
from pipelines.stream.polling import Polls

AGAIN = 3600.0  # seconds of questions after which the bus is tried again


class EventsOrPolls:
    """One client's change events, or questions: an org may not have selected the object, or its edition not have them."""

    def __init__(self, client: str, api: SalesforceApi) -> None:
        self._events = ChangeEvents(client, api, api.stream.bus)
        self._polls = Polls(client, api)
        self._minutes, self._told = api.stream.poll_minutes, ""

    def stop(self) -> None:
        """End the notices, also while one is waited for."""
        self._events.stop()
        self._polls.stop()

    def notices(self) -> Iterator[Notice]:
        """Yield what changed. Raise PlatformError where neither the bus nor the org answers."""
        try:
            yield from self._events.notices()
            return
        except PlatformError as error:
            if error.code != "request_refused":
                raise
            refused = f"{error}; asked every {self._minutes:g} minutes until then"
        until = monotonic() + AGAIN
        for notice in self._polls.notices():
            news = "" if refused == self._told else refused
            self._told = refused
            yield notice._replace(told=news)
            if monotonic() > until:
                return
