"""Carry out erasures, with what the morning remembers: of the other clients nothing changes."""

from collections.abc import Iterable
from contextlib import ExitStack

from pipelines.erasing.erasure import erase
from pipelines.erasing.plan import Plan, pending
from pipelines.erasing.receipts import Receipt
from pipelines.erasing.warehouse_tables import shards_of
from pipelines.serving.memory import unchanged_for_others
from pipelines.settings.client import Client


def carry_out(client: Client, plan: Plan) -> Receipt:
    """Carry out a plan. The caller has the turn; the next morning has nothing new of the client, either."""
    with ExitStack() as remembered:
        for shard in shards_of(client.id):
            remembered.enter_context(unchanged_for_others(shard))
        return erase(client, plan)


def go_on(clients: Iterable[Client]) -> list[Receipt]:
    """Carry out what was begun of clients, and was interrupted."""
    begun = [(client, pending(client.id)) for client in clients]
    return [carry_out(client, plan) for client, plan in begun if plan]
