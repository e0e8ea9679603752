"""Order clients by their deadlines."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pipelines.settings.client import Client

_LATE = timedelta(hours=6)  # after a deadline, for which a client that missed it goes first


def by_deadline(clients: Iterable[Client], now: datetime) -> list[Client]:
    """Return clients in order of deadline, each in its own zone: the one that is due first comes first.

    A deadline that passed within the last hours still counts: whoever waits for late numbers does not
    wait for those that are due later.
    """
    return sorted(clients, key=lambda client: (client.deadline_after(now - _LATE), client.id))
