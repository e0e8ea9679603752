"""Erase a person: everything that names them is rewritten, beside readers; killed at any time, it goes on."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import duckdb

from pipelines.erasing.ageing import plan_ageing
from pipelines.erasing.blotted_texts import clear_leftovers, in_texts
from pipelines.erasing.delivered_files import holding
from pipelines.erasing.found_places import Place
from pipelines.erasing.ihc_log import in_ihc_log
from pipelines.erasing.linked_people import Person, find, gather_names
from pipelines.erasing.parquet_tables import in_versions
from pipelines.erasing.plan import Plan, forget, keep, plan_erasure
from pipelines.erasing.receipts import Receipt, sign
from pipelines.erasing.renaming import prepare
from pipelines.erasing.returned_people import bring_back
from pipelines.erasing.rewritten_log import in_lake
from pipelines.erasing.warehouse_tables import in_warehouse, shards_of
from pipelines.lake.append import scratch, working_folder
from pipelines.lake.client_sources import client_sources
from pipelines.lake.rewriting import nothing_appended
from pipelines.lake.tombstones import ERASED, bury
from pipelines.ledger.recording import recorded
from pipelines.published.version_folders import alone
from pipelines.settings.client import Client


def whose(client: Client, said: str) -> Person:
    """Return the person whom a text names. Raise UnclearPerson if it names several."""
    with _searching(client) as connection:
        gather_names(connection, client)
        return find(connection, said)


def planned(client: Client, said: str, person: Person, with_shared: bool) -> Plan:
    """Return what would be renamed; `with_shared`, also what others have, too."""
    with _searching(client) as connection:
        return plan_erasure(connection, client, said, person, with_shared)


def age(client: Client, now: datetime) -> Receipt:
    """Have all whose newest event is too old stand for nobody; `now` is UTC. The caller has the turn."""
    with _searching(client) as connection:
        plan = plan_ageing(connection, client, now)
    return erase(client, plan)


def found(client: Client, plan: Plan) -> tuple[list[Place], list[str]]:
    """Return where a plan finds somebody, and which delivered files hold them."""
    with _searching(client) as connection:
        return list(_everywhere(connection, client, plan, False)), holding(connection, client, plan)


def erase(client: Client, plan: Plan) -> Receipt:
    """Carry out a plan, and return the receipt. Whoever was killed calls it again with the plan that is kept.

    The caller has the turn. Nothing is ingested or published of the client meanwhile. First of all the marks
    are kept, so that nobody who is erased comes back.
    """
    folders = [*client_sources(client.id), "ihc"]
    with recorded(client.id, "erase") as run, nothing_appended(client.id, folders):
        with alone(client.id), _searching(client) as connection:
            keep(plan)
            if plan.prefix == ERASED:
                own = plan.renames.keys() - set(plan.shared)
                bury(client.id, plan.receipt, [*own, *plan.words], plan.shared, plan.orders)
            clear_leftovers(client.id)
            if plan.returns_people and not plan.returned:
                prepare(connection, plan)
                plan = replace(plan, returned=bring_back(connection, plan))
                keep(plan)
            places = list(_everywhere(connection, client, plan, True))
            receipt = sign(plan, places, holding(connection, client, plan))
            _remove_working_folders(client.id)
            forget(plan)
        run.outcome, run.rows = (
            "erased" if plan.person else "aged",
            sum(each.rows for each in places),
        )
        return receipt


def _everywhere(
    connection: duckdb.DuckDBPyConnection, client: Client, plan: Plan, is_done: bool
) -> Iterator[Place]:
    yield from in_lake(connection, plan, is_done)
    yield from in_ihc_log(client, plan, is_done)
    yield from in_versions(connection, plan, is_done)
    for shard in shards_of(client.id):
        yield from in_warehouse(connection, plan, shard, is_done)
    yield from in_texts(plan, is_done)


@contextmanager
def _searching(client: Client) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that spills to a folder of the client's, which is removed."""
    with (
        scratch(client.id, "erasing") as folder,
        duckdb.connect(
            config={"temp_directory": str(folder), "memory_limit": f"{client.limits.memory_mb}MB"}
        ) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def _remove_working_folders(client: str) -> None:
    """Remove what dlt and killed processes keep of what was delivered; the next ingest makes it anew."""
    for folder in working_folder(client).iterdir():
        if folder.is_dir() and folder.name != "erasing.scratch":
            shutil.rmtree(folder, ignore_errors=True)
