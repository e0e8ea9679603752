"""A client's stream in a thread of a test: what it told, and waiting until it is somewhere."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tenacity import wait_fixed

from demo.servers.event_bus import EventBus
from demo.servers.salesforce_server import SalesforceServer
from pipelines.settings.apis import SalesforceApi
from pipelines.settings.client import Client
from pipelines.stream import cursors
from pipelines.stream.change_events import TOPIC, ChangeEvents
from pipelines.stream.changed_deals import bring
from pipelines.stream.follower import Follower
from pipelines.stream.notices import Brought, Notice
from tests.builders.org import Org

PATIENCE = 60  # seconds until a test gives up waiting


class Stream:
    """A client's stream, what it told, and the bus that it follows.

    `before` and `after` are called with each notice before and after it is brought in: a test may
    block there, or raise as a crash would.
    """

    def __init__(self, org: Org, bus: EventBus) -> None:
        self.org, self.bus = org, bus
        self.told: list[str] = []
        self.brought: list[Notice] = []
        self.before: Callable[[Notice], None] = lambda notice: None
        self.after: Callable[[Notice], None] = lambda notice: None
        self._stepped = threading.Condition()
        self._follower: Follower | None = None

    def __enter__(self) -> "Stream":
        client = self.org.client()
        platform = client.sources.salesforce
        assert platform
        api = platform.api
        assert isinstance(api, SalesforceApi)
        adapter = ChangeEvents(client.id, api, self.bus.address)
        self._follower = Follower(
            adapter, partial(self._bring, client, api), self._tell, pause=wait_fixed(0.01)
        )
        self._thread = threading.Thread(target=self._follower.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._follower
        self._follower.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _bring(self, client: Client, api: SalesforceApi, notice: Notice) -> Brought:
        """Bring in a notice, and let whoever waits look again."""
        self.before(notice)
        brought = bring(client, api, notice)
        self.after(notice)
        with self._stepped:
            self.brought.append(notice)
            self._stepped.notify_all()
        return brought

    def _tell(self, text: str) -> None:
        """Keep what an operator would read."""
        with self._stepped:
            self.told.append(text)
            self._stepped.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        with self._stepped:
            assert self._stepped.wait_for(holds, PATIENCE), self.told

    def begun(self) -> None:
        """Wait until the org was asked for everything, and the bus is followed."""
        self.until(lambda: cursors.read(self.org.name, TOPIC) is not None)

    def reached(self, replay_id: bytes) -> None:
        """Wait until everything up to an event is in the lake."""
        self.until(lambda: self.place >= replay_id)

    @property
    def place(self) -> bytes:
        """Return up to where everything is in the lake."""
        cursor = cursors.read(self.org.name, TOPIC)
        return cursor.replay_id if cursor else b""

    def close(self, number: int, minutes: float = 1, **changes) -> bytes:
        """Close a deal in the CRM, and publish that it changed."""
        won = {"StageName": "Closed Won", "IsWon": True} | changes
        deal = self.org.deal(number, minutes, **won)
        return self.bus.publish("Opportunity", deal["Id"])


@contextmanager
def org_of(home: Path, name: str, server: SalesforceServer | None = None) -> Iterator[Org]:
    """Yield a client whose CRM is asked by its API; with another's server, it is the same CRM."""
    with ExitStack() as stack:
        org = server or stack.enter_context(SalesforceServer())
        secrets = {
            f"CLIENTS__{name}__SALESFORCE__{key}".upper(): value
            for key, value in org.credentials.items()
        }
        stack.enter_context(patch.dict(os.environ, secrets))
        yield Org(home, org, name)
