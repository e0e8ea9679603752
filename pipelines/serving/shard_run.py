"""Run the clients of one shard: train, compute in `daily`, promote to `prod` who passes."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection

from pipelines import torn_blocks
from pipelines.learning.learners import learners
from pipelines.learning.training import TrainingError, retrain, untrained, utc_now
from pipelines.serving.report import Figures, Report, error_text, held
from pipelines.serving.warehouse import Failure, Warehouse
from pipelines.settings.client import Client
from pipelines.settings.reader import keep_promoted, promoted_settings
from pipelines.warehouse_files import (
    TornWarehouse,
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
        self._until: datetime | None = None

    def serve(self, clients: list[Client]) -> list[Report]:
        """Run clients; what stops all of them, as a locked file, stops nobody else."""
        try:
            self._free(clients)
            self._warehouse = self._warehouse or Warehouse(self._shard)
            with closing(self._warehouse) as warehouse:
                return run(warehouse, clients)
        except Exception as error:
            reason = why_unusable(self._shard, error) or error
            if isinstance(reason, TornWarehouse):
                torn_blocks.doubt(self._shard)
            return [held(client.id, reason) for client in clients]

    def _free(self, clients: list[Client]) -> None:
        """Wait until nobody holds the file; set a torn one aside, to be built again from the lake.

        One whose clients were never promoted, so far as the lake knows, is left to the operator.
        """
        try:
            if self._was_doubted:  # before it is opened here
                torn_blocks.settle(self._shard)
            wait_until_free(self._shard, self._waits_until(clients), self._tell)
        except TornWarehouse:
            if not any(promoted_settings(client.id) for client in clients):
                raise
            torn = set_aside(self._shard)
            torn_blocks.trust(self._shard)
            name = f"warehouse/{self._shard}.duckdb"
            self._tell(f"{name} is torn: kept as {torn.name}, and built again from the lake")
        self._was_doubted = False

    def _waits_until(self, clients: list[Client]) -> datetime:
        """Return until when another process that holds the file is waited for: see `wait_until`."""
        self._until = self._until or wait_until(clients, datetime.now(timezone.utc))
        return self._until


def serve_as_told(shard: str, was_doubted: bool, talk: Connection) -> None:
    """Run the clients that come by a connection, and send their reports, until the process is ended."""
    shard_run = ShardRun(shard, talk.send, was_doubted)
    while True:
        talk.send(shard_run.serve(talk.recv()))


def wait_until(clients: list[Client], now: datetime) -> datetime:
    """Return until when clients wait for their warehouse: the earliest of their deadlines.

    If that has passed today, as where somebody runs a morning by hand, they wait for minutes.
    """
    deadline = min(client.deadline_after(now) for client in clients)
    patience = min(client.patience_minutes for client in clients)
    is_near = deadline - now < _MORNING
    return deadline if is_near else now + timedelta(minutes=patience)


_MORNING = timedelta(hours=6)  # before a deadline


def run(warehouse: Warehouse, clients: list[Client]) -> list[Report]:
    """Run a shard's clients; one that fails keeps what it had, and the others go on."""
    drafts = _drafts(warehouse, clients)
    clients = [client for client in clients if client.id not in drafts]
    not_trained, rebuilt, trained = _train(warehouse, clients)
    if rebuilt:  # SQLMesh sees a first version when it loads the models
        warehouse.reload()
    refused = drafts | _bring_into_daily(warehouse, _new(warehouse, clients), backfill=False)
    refused |= _bring_into_daily(warehouse, rebuilt, backfill=True)
    names = [client.id for client in clients if client.id not in refused]
    if not names:  # and no environment either, if it is the first morning
        return [Report(name, "held", [reason]) for name, reason in refused.items()]
    failures = warehouse.run("daily", names)
    _promote(warehouse, [name for name in names if name not in failures])
    _run_older_versions(warehouse, names)
    _keep_promoted(warehouse, clients)
    for name, problem in warehouse.write_files(clients).items():
        failures.setdefault(name, []).append(Failure("published files", problem))
    reports = _reports(warehouse, names, failures, not_trained, trained)
    return reports + [Report(name, "held", [reason]) for name, reason in refused.items()]


def _train(
    warehouse: Warehouse, clients: list[Client]
) -> tuple[dict[str, str], list[str], dict[str, list[str]]]:
    """Train what is due; return why, where it failed, the clients with a first version, what moved.

    A first version changes the client's models: it waits while an edit waits for its promotion.
    """
    failed: dict[str, str] = {}
    first: list[str] = []
    moved: dict[str, list[str]] = {}
    if not (learning := [client for client in clients if learners(client)]):
        return failed, first, moved
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    for client in learning:
        has_an_edit = local.get(client.id) != daily.get(client.id)
        if client.id not in prod or (has_an_edit and untrained(client)):
            continue
        try:
            lessons = retrain(warehouse.connection(), client, utc_now())
        except TrainingError as error:
            failed[client.id] = str(error).removeprefix(f"{client.id}: ")
        else:
            first += [client.id] if any(lesson.is_first for lesson in lessons) else []
            moved[client.id] = [str(lesson) for lesson in lessons]
    return failed, first, moved


def _new(warehouse: Warehouse, clients: list[Client]) -> list[str]:
    """Return the clients that were never published, and are not in `daily` as their files are."""
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    names = [client.id for client in clients]
    return [name for name in names if name not in prod and daily.get(name) != local[name]]


def _drafts(warehouse: Warehouse, clients: list[Client]) -> dict[str, str]:
    """Return why, for the clients whose promoted version is gone, and that are edited since.

    They were published from a warehouse that was torn, removed or replaced. Built as their files
    are, they would publish what nobody promoted.
    """
    prod = warehouse.promoted("prod")
    lost = [client for client in clients if client.id not in prod]
    return {
        client.id: _DRAFT.format(client=client.id, shard=client.shard)
        for client in lost
        if promoted_settings(client.id) not in (None, client)
    }


_DRAFT = (
    "warehouse/{shard}.duckdb has not what was promoted of it, and clients/{client}.yaml was changed"
    " since: put a backup of the warehouse back, or `make promote CLIENT={client}` as its file is"
)


def _bring_into_daily(warehouse: Warehouse, clients: list[str], backfill: bool) -> dict[str, str]:
    """Bring clients into `daily` as their files are; return why, for those that cannot be.

    A plan is all or nothing: if it fails, each client is tried by itself, so one stops no other.
    """
    if not clients:
        return {}
    try:
        warehouse.plan("daily", clients, backfill)
    except Exception as error:
        if len(clients) == 1:
            return {clients[0]: error_text(error)}
        alone = [_bring_into_daily(warehouse, [client], backfill) for client in clients]
        return {client: reason for refused in alone for client, reason in refused.items()}
    return {}


def _promote(warehouse: Warehouse, passed: list[str]) -> None:
    """Promote the clients whose version in `daily` is as their files are, and not in `prod` yet."""
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    fresh = [name for name in passed if daily[name] == local[name] != prod.get(name)]
    if fresh:
        warehouse.plan("prod", fresh, backfill=False)


def _run_older_versions(warehouse: Warehouse, clients: list[str]) -> None:
    """Compute what is new for the clients that keep an older version in `prod`."""
    daily, prod = warehouse.promoted("daily"), warehouse.promoted("prod")
    older = sorted(name for name in clients if name in prod and prod[name] != daily[name])
    if older:
        warehouse.run("prod", older)


def _keep_promoted(warehouse: Warehouse, clients: list[Client]) -> None:
    """Keep the settings of the clients that are published as their files are."""
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    for client in clients:
        if client.id in prod and local[client.id] == daily[client.id] == prod[client.id]:
            keep_promoted(client)


def _reports(
    warehouse: Warehouse,
    clients: list[str],
    failures: dict[str, list[Failure]],
    not_trained: dict[str, str],
    trained: dict[str, list[str]],
) -> list[Report]:
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    reports = []
    for name in clients:
        reasons = [str(failure) for failure in failures.get(name, [])]
        if local[name] != daily[name]:
            reasons.append(_WAITS.format(client=name))
        if name in not_trained:
            reasons.append(not_trained[name])
        figures = _figures(warehouse, name) if name in prod else None
        is_published = name in prod and name not in failures
        report = Report(name, "published" if is_published else "held", reasons, figures)
        reports.append(report._replace(trained=trained.get(name, [])))
    return reports


def _figures(warehouse: Warehouse, client: str) -> Figures | None:
    """Return what is published of a client; nothing of what its version in `prod` does not say yet."""
    table = f"{client}_publish.freshness_v1"
    known = {name for name, *_ in warehouse.rows(f"DESCRIBE {table}")}
    columns = ", ".join(name if name in known else "NULL" for name in Figures._fields)
    rows = warehouse.rows(f"SELECT {columns} FROM {table}")
    return Figures(*("" if each is None else str(each) for each in rows[0])) if rows else None
