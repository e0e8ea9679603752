"""Preview a client's change beside what is published, and promote it: one client, no other."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import duckdb
from sqlmesh.utils.errors import PlanError

from pipelines.explaining.compared_campaigns import Compared, compared
from pipelines.lake.newest_loads import newest_loads
from pipelines.learning.in_force import learnt_versions
from pipelines.learning.learners import learners
from pipelines.learning.published import published
from pipelines.learning.training import train_first
from pipelines.ledger.recording import recorded
from pipelines.ledger.run_events import Run
from pipelines.published.held_loads import held_loads
from pipelines.serving import memory
from pipelines.serving.replacing import learnt_as_filed, replacing
from pipelines.serving.rollback import FilesNotWritten
from pipelines.serving.warehouse import Warehouse, opened
from pipelines.settings.client import Client
from pipelines.settings.reader import keep_promoted
from pipelines.settings.replaced import in_force_again


def preview(client: Client) -> list[Compared] | None:
    """Build a client's change in `dev`; return what it does to each campaign.

    A model that learns is trained before, if it has never been. Nothing changed, nothing returned;
    None where `prod` does not have the client, so there is nothing to compare with.
    Raise PlanError, with the failures, if an audit fails; TrainingError if a training does.
    """
    with recorded(client.id, "preview"):
        return _preview(client)


def _preview(client: Client) -> list[Compared] | None:
    with learnt_as_filed(client.id):
        train_first(client)
        with opened(client.shard) as warehouse:
            return _built(warehouse, client)


def _built(warehouse: Warehouse, client: Client) -> list[Compared] | None:
    prod = warehouse.promoted("prod").get(client.id)
    if warehouse.local(client.id) == prod:
        return []
    with _loads_that_wait_named(client):
        warehouse.plan("dev", [client.id])
    return difference(warehouse, client) if prod else None


class LoadsWait(PlanError):
    """A change that cannot be computed before a run has published newer loads; the text says so in a line."""


@contextmanager
def _loads_that_wait_named(client: Client) -> Iterator[None]:
    """Say in a line why a plan fails that stages loads anew which other tables do not have yet.

    Tables that a change leaves alone are those of `prod`, as the last run left them.
    """
    try:
        yield
    except PlanError as error:
        loads = held_loads(client).said if "rows_accounted_for" in str(error) else ""
        if not loads:
            raise
        raise LoadsWait(
            f"{loads}, and the change stages them anew: run make daily first"
        ) from error


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
    with learnt_as_filed(client.id):
        train_first(client)
        with opened(client.shard) as warehouse:
            return _put_in_force(warehouse, client, run)


def _put_in_force(warehouse: Warehouse, client: Client, run: Run) -> bool:
    local = warehouse.local(client.id)
    environments = ("daily", "prod")
    behind = [each for each in environments if warehouse.promoted(each).get(client.id) != local]
    was_rolled_back = bool(in_force_again(client.id))
    run.loads, run.models = newest_loads(client.id), learnt_versions(client)
    if behind:
        memory.doubt(client.id, client.shard)
    keep_days = client.published_files.keep_days
    is_new = behind or was_rolled_back
    with replacing(warehouse.context, client.id, keep_days) if is_new else nullcontext():
        for environment in behind:
            with _loads_that_wait_named(client):
                warehouse.plan(environment, [client.id])
    if is_new:  # it passed: whatever held it before holds it no more
        memory.forget(client.id, client.shard)
    keep_promoted(client)
    if problem := warehouse.write_files([client]).get(client.id):
        raise FilesNotWritten(problem)
    return bool(is_new)
