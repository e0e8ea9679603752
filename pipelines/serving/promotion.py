"""Preview a client's change beside what is published, and promote it: one client, no other."""

from typing import NamedTuple

import duckdb

from pipelines.explaining.compared_campaigns import Compared, compared
from pipelines.lake.newest_loads import newest_loads
from pipelines.learning.in_force import learnt_versions
from pipelines.learning.learners import learners
from pipelines.learning.published import published
from pipelines.learning.training import train_first
from pipelines.ledger.recording import recorded
from pipelines.ledger.run_events import Run
from pipelines.serving import memory
from pipelines.serving.warehouse import Warehouse, opened
from pipelines.settings.client import Client
from pipelines.settings.reader import keep_promoted
from pipelines.warehouse_files import WarehouseError


class FilesNotWritten(WarehouseError):
    """A client was promoted, and its published files could not be written; the text says why."""


def preview(client: Client) -> list[Compared] | None:
    """Build a client's change in `dev`; return what it does to each campaign.

    A model that learns is trained before, if it has never been. Nothing changed, nothing returned;
    None where `prod` does not have the client, so there is nothing to compare with.
    Raise PlanError, with the failures, if an audit fails; TrainingError if a training does.
    """
    with recorded(client.id, "preview"):
        return _preview(client)


def _preview(client: Client) -> list[Compared] | None:
    train_first(client)
    with opened(client.shard) as warehouse:
        prod = warehouse.promoted("prod").get(client.id)
        if warehouse.local(client.id) == prod:
            return []
        warehouse.plan("dev", [client.id])
        return difference(warehouse, client) if prod else None


def difference(warehouse: Warehouse, client: Client) -> list[Compared]:
    """Return what each campaign costs and earns in `prod` and in `dev`."""
    schemas = (f"{client.id}_publish", f"{client.id}_publish__dev")
    return compared(warehouse.rows, *(f"{schema}.campaigns_v1" for schema in schemas))


class Learnt(NamedTuple):
    """What the newest version of a model has learnt of a channel, and what `dev` publishes by it."""

    model: str
    channel: str
    learnt: float
    credited: float
    published: float
    standard_error: float | None


_LEARNT = """
SELECT model, channel, COALESCE(learnt, 0), COALESCE(credited, 0), published, standard_error
FROM {client}_publish__dev.channel_values_v1
QUALIFY version = MAX(version) OVER (PARTITION BY model) ORDER BY model, learnt DESC, channel
"""


def learnt(client: Client) -> list[Learnt]:
    """Return what the models of a previewed change have learnt; nothing if none of them learns."""
    with published(client) as connection:
        if not learners(client) or not connection:
            return []
        try:
            return [
                Learnt(*row)
                for row in connection.execute(_LEARNT.format(client=client.id)).fetchall()
            ]
        except duckdb.CatalogException:  # of IHC's models there is no such table
            return []


class Excluded(NamedTuple):
    """What `exclude:` leaves out in `dev`, and whether that is more than half; columns of `freshness_v1`."""

    excluded: str | None
    over_excluded: str | None


def excluded(client: Client) -> Excluded | None:
    """Return what the client's `exclude` leaves out in a previewed change; None if it has none."""
    with published(client) as connection:
        if not client.exclude or not connection:
            return None
        row = connection.execute(
            f"SELECT excluded, over_excluded FROM {client.id}_publish__dev.freshness_v1"
        ).fetchone()
        return Excluded(*row) if row else None


def promote(client: Client) -> bool:
    """Bring a client's change into `daily` and `prod`, if its audits pass; False without a change.

    A model that learns is trained before, if it has never been. Raise PlanError, with the failures,
    if an audit fails, and TrainingError if a training does; then both keep what they had. Raise
    FilesNotWritten if all but the files was done.
    """
    with recorded(client.id, "promote") as run:
        has_changed = _promote(client, run)
        run.outcome = "promoted" if has_changed else "unchanged"
        return has_changed


def _promote(client: Client, run: Run) -> bool:
    train_first(client)
    with opened(client.shard) as warehouse:
        local = warehouse.local(client.id)
        environments = ("daily", "prod")
        behind = [each for each in environments if warehouse.promoted(each).get(client.id) != local]
        run.loads, run.models = newest_loads(client.id), learnt_versions(client)
        if behind:
            memory.doubt(client.id, client.shard)
        for environment in behind:
            warehouse.plan(environment, [client.id])
        if behind:  # it passed: whatever held it before holds it no more
            memory.forget(client.id, client.shard)
        keep_promoted(client)
        if problem := warehouse.write_files([client]).get(client.id):
            raise FilesNotWritten(problem)
        return bool(behind)
