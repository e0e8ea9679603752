"""Carry out erasures, with what the morning remembers: of the other clients nothing changes."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

import duckdb

from pipelines.erasing.ageing import is_due
from pipelines.erasing.erasure import age, erase
from pipelines.erasing.plan import Plan, pending
from pipelines.erasing.receipts import Receipt
from pipelines.erasing.warehouse_tables import shards_of
from pipelines.serving.memory import unchanged_for_others
from pipelines.settings.client import Client
from pipelines.warehouse_files import WarehouseError


def carry_out(client: Client, plan: Plan) -> Receipt:
    """Carry out a plan. The caller has the turn; the next morning has nothing new of the client, either."""
    with _remembered(client):
        return erase(client, plan)


def keep_promises(clients: Iterable[Client], now: datetime) -> Iterator[str]:
    """Carry out what was begun and interrupted, and age what is older than clients allow; say so. `now` is UTC.

    What cannot be done now, as somebody has the warehouse open, is said, and done by the next morning.
    """
    for client in clients:
        try:
            if plan := pending(client.id):
                receipt = carry_out(client, plan)
                yield f"{client.id}: what was interrupted was erased: receipt {receipt.receipt}"
            if is_due(client, now):
                with _remembered(client):
                    rows = sum(place.rows for place in age(client, now).places)
                if rows:
                    yield f"{client.id}: {rows} rows are older than retention_days, and stand for nobody now"
        except (OSError, WarehouseError, duckdb.Error) as error:
            yield f"{client.id}: nobody was erased or aged: {' '.join(str(error).split())}"


@contextmanager
def _remembered(client: Client) -> Iterator[None]:
    with ExitStack() as remembered:
        for shard in shards_of(client.id):
            remembered.enter_context(unchanged_for_others(shard))
        yield
