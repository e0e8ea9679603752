"""Run the clients of one shard, one after the other: train, compute in `daily`, promote, publish."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection

import duckdb

from pipelines import torn_blocks
from pipelines.lake.newest_loads import newest_loads
from pipelines.learning.in_force import learnt_versions
from pipelines.learning.learners import learners
from pipelines.learning.lesson import Lesson
from pipelines.learning.training import TrainingError, retrain, untrained, utc_now
from pipelines.ledger.recording import listen, parts_of, recorded
from pipelines.serving.at_work import at_work
from pipelines.serving.merging_allowed import allow_merging
from pipelines.serving.report import Figures, Report, held, rolled_back_line
from pipelines.serving.rollback import settle
from pipelines.serving.tidying import Tidied, tidy
from pipelines.serving.warehouse import Warehouse
from pipelines.settings.client import Client
from pipelines.settings.reader import keep_promoted, promoted_settings, read
from pipelines.settings.replaced import in_force_again
from pipelines.warehouse_files import (
    TornWarehouse,
    half_built,
    set_aside,
    wait_until_free,
    why_unusable,
)

_WAITS = (
    "changed, but not promoted: make preview CLIENT={client}, then make promote CLIENT={client}"
)


class ShardRun:
    """A shard whose models are loaded once, and whose clients are run as they become ready.

    The warehouse file is free in between: what is published can be read while others are ingested.
    One that was doubted as the morning began is read whole before the first of them: built again
    later, it would lack those who were run before.
    """

    def __init__(self, shard: str, tell: Callable[[str], None], was_doubted: bool = False) -> None:
        self._shard, self._was_doubted, self._tell = shard, was_doubted, tell
        self._warehouse: Warehouse | None = None
        self._began = datetime.now(timezone.utc)

    def serve(self, client: Client) -> Report:
        """Run a client; what stops it, as a locked file, stops nobody else."""
        try:
            self._free(client)
            self._warehouse = self._warehouse or Warehouse(self._shard)
            with closing(self._warehouse) as warehouse:
                return run(warehouse, client)
        except Exception as error:
            reason = why_unusable(self._shard, error) or error
            if isinstance(reason, TornWarehouse):
                torn_blocks.doubt(self._shard)
            return held(client.id, reason)

    def tidy(self) -> Tidied:
        """Remove from the warehouse what nobody needs any more."""
        return tidy(self._shard, self._warehouse)

    def _free(self, client: Client) -> None:
        """Wait until nobody holds the file; set a torn one aside, to be built again from the lake.

        One whose clients were never promoted, so far as the lake knows, is left to the operator.
        """
        try:
            if self._was_doubted:  # before it is opened here
                torn_blocks.settle(self._shard)
            wait_until_free(self._shard, wait_until(client, self._began), self._tell)
        except TornWarehouse:
            if not any(promoted_settings(each.id) for each in read(self._shard)[0]):
                raise
            torn = set_aside(self._shard)
            torn_blocks.trust(self._shard)
            name = f"warehouse/{self._shard}.duckdb"
            self._tell(f"{name} is torn: kept as {torn.name}, and built again from the lake")
        self._was_doubted = False


def serve_as_told(shard: str, was_doubted: bool, talk: Connection) -> None:
    """Run the clients that come by a connection, each with its run in the ledger, until the process is ended.

    What is sent is what a client waits for, its steps as they start and end, and its report. Where nothing
    comes instead of a client, the warehouse is tidied.
    """
    shard_run = ShardRun(shard, talk.send, was_doubted)
    listen(talk.send)
    while True:
        if not (told := talk.recv()):
            talk.send(shard_run.tidy())
            continue
        (client, whole), began = told, time.process_time()
        with parts_of(whole):
            report = shard_run.serve(client)
        talk.send(report._replace(cpu_seconds=time.process_time() - began))


def wait_until(client: Client, began: datetime) -> datetime:
    """Return until when a client waits for its warehouse: its deadline.

    If that has passed today, as where somebody runs a morning by hand, it waits for minutes since
    the run began.
    """
    deadline = client.deadline_after(began)
    is_near = deadline - began < _MORNING
    return deadline if is_near else began + timedelta(minutes=client.patience_minutes)


_MORNING = timedelta(hours=6)  # before a deadline


def run(warehouse: Warehouse, client: Client) -> Report:
    """Run a client; one that fails keeps what it had."""
    if draft := _draft(warehouse, client):
        return held(client.id, draft)
    settle(warehouse, client.id)
    lessons, not_trained = _train(warehouse, client)
    is_rebuilt = any(lesson.is_first for lesson in lessons)
    if is_rebuilt:  # SQLMesh sees a first version when it loads the models
        warehouse.reload()
    failures = computed(warehouse, client, is_rebuilt)
    if problem := warehouse.write_files([client]).get(client.id):
        failures.append(f"published files: {problem}")
    if not failures:  # a rebuild that was killed is finished
        half_built(client.shard, client.id).unlink(missing_ok=True)
    report = reported(warehouse, client, failures, not_trained)
    return report._replace(trained=[str(lesson) for lesson in lessons])


def computed(warehouse: Warehouse, client: Client, is_rebuilt: bool = False) -> list[str]:
    """Compute what is new for a client, in all versions of it, and promote it; return what failed."""
    failures = _compute(warehouse, client, is_rebuilt)
    if not failures:
        _promote(warehouse, client)
    failures = list(dict.fromkeys(failures + _run_older_version(warehouse, client)))
    _keep_promoted(warehouse, client)
    return failures


def _train(warehouse: Warehouse, client: Client) -> tuple[list[Lesson], list[str]]:
    """Train what is due; return what was learnt, and why nothing was, where it failed.

    A first version changes the client's models: it waits while an edit waits for its promotion. What
    is rolled back goes on with what was learnt then.
    """
    is_half_built = half_built(client.shard, client.id).exists()
    if not learners(client) or is_half_built or in_force_again(client.id):
        return [], []
    local, daily, prod = _versions(warehouse, client)
    if not prod or (local != daily and untrained(client)):
        return [], []
    try:
        with at_work(client.shard, "what its models learn"):
            return retrain(warehouse.connection(), client, utc_now()), []
    except TrainingError as error:
        return [], [str(error).removeprefix(f"{client.id}: ")]


def _draft(warehouse: Warehouse, client: Client) -> str:
    """Return why a client is not run whose promoted version is gone, and that is edited since.

    It was published from a warehouse that was torn, removed or replaced. Built as its file is, it
    would publish what nobody promoted; one that is rolled back is published as its file is not.
    """
    if client.id in warehouse.promoted("prod"):
        return ""
    is_draft = promoted_settings(client.id) not in (None, client) or in_force_again(client.id)
    return _DRAFT.format(client=client.id, shard=client.shard) if is_draft else ""


_DRAFT = (
    "warehouse/{shard}.duckdb has not what was promoted of it, and clients/{client}.yaml was changed or"
    " rolled back since: put a backup of the warehouse back, or `make rebuild CLIENT={client}` by the settings that"
    " were in force and today's models, or `make promote CLIENT={client}` as its file is"
)


def _compute(warehouse: Warehouse, client: Client, is_rebuilt: bool) -> list[str]:
    """Compute what is new, in `daily`, and audit it; return what failed.

    A client that was never published is brought into `daily` as its file is, and so is one whose
    models have learnt for the first time.
    """
    with recorded(client.id, "compute") as step:
        local, daily, prod = _versions(warehouse, client)
        is_edited = bool(prod) and local != daily and not is_rebuilt
        by = (
            promoted_settings(client.id) if is_edited else client
        )  # an edit waits for its promotion
        step.loads, step.models = newest_loads(client.id), learnt_versions(by or client)
        if is_rebuilt or (not prod and local != daily):
            warehouse.plan("daily", [client.id], backfill=is_rebuilt)
        failed = warehouse.run("daily", [client.id]).get(client.id, [])
        reasons = [str(failure) for failure in failed]
        if reasons:
            step.fails("held", "; ".join(reasons))
        return reasons


def _promote(warehouse: Warehouse, client: Client) -> None:
    """Promote a client whose version in `daily` is as its file is, and not in `prod` yet."""
    local, daily, prod = _versions(warehouse, client)
    if daily == local != prod:
        with recorded(client.id, "promote") as step:
            warehouse.plan("prod", [client.id], backfill=False)
            step.outcome = "promoted"


def _run_older_version(warehouse: Warehouse, client: Client) -> list[str]:
    """Compute what is new for a client that keeps an older version in `prod`; return what failed.

    The older version may fail where the newer one does not, as by a weight that was mended since.
    """
    _, daily, prod = _versions(warehouse, client)
    if not prod or prod == daily:
        return []
    return [str(failure) for failure in warehouse.run("prod", [client.id]).get(client.id, [])]


def _keep_promoted(warehouse: Warehouse, client: Client) -> None:
    """Keep the settings of a client that is published as its file is."""
    local, daily, prod = _versions(warehouse, client)
    is_as_its_file = bool(prod) and local == daily == prod
    if is_as_its_file:
        keep_promoted(client)
    allow_merging(client.id, is_as_its_file and not in_force_again(client.id))


def _versions(
    warehouse: Warehouse, client: Client
) -> tuple[frozenset | None, frozenset | None, frozenset | None]:
    """Return a client's version as its file is, in `daily` and in `prod`; None where it has none."""
    daily, prod = (warehouse.promoted(each).get(client.id) for each in ("daily", "prod"))
    return warehouse.local(client.id), daily, prod


def reported(
    warehouse: Warehouse, client: Client, failures: list[str], not_trained: list[str]
) -> Report:
    """Return how a client's run went, and what is published of it now."""
    local, daily, prod = _versions(warehouse, client)
    waits = [_WAITS.format(client=client.id)] if local != daily else []
    waits = rolled_back_line(client.id) or waits
    figures = _figures(warehouse, client.id) if prod else None
    is_published = prod and not failures
    reasons = failures + waits + not_trained
    report = Report(client.id, "published" if is_published else "held", reasons, figures)
    return report._replace(settled_otherwise=warehouse.settled_otherwise.get(client.id, 0))


def _figures(warehouse: Warehouse, client: str) -> Figures | None:
    """Return what is published of a client; nothing of what its version in `prod` does not say yet.

    None, too, where its tables are half built.
    """
    table = f"{client}_publish.freshness_v1"
    try:
        known = {name for name, *_ in warehouse.rows(f"DESCRIBE {table}")}
    except duckdb.CatalogException:  # there is no table behind the view
        return None
    columns = ", ".join(name if name in known else "NULL" for name in Figures._fields)
    rows = warehouse.rows(f"SELECT {columns} FROM {table}")
    return Figures(*("" if each is None else str(each) for each in rows[0])) if rows else None
