"""Open a shard's warehouse: SQLMesh, with its failures by client."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from functools import cache
from typing import NamedTuple

import duckdb
from sqlglot import exp
from sqlmesh import Context
from sqlmesh.core.console import NoopConsole, set_console
from sqlmesh.core.environment import Environment
from sqlmesh.core.model import Model
from sqlmesh.core.snapshot import Node
from sqlmesh.utils.concurrency import NodeExecutionFailedError
from sqlmesh.utils.errors import AuditError, NodeAuditsErrors, PlanError, PythonModelEvalError

from pipelines import torn_blocks
from pipelines.fastpath.publishing import publish_changes
from pipelines.fastpath.rendering import promoted_models
from pipelines.home import home, project_folder, warehouse_folder
from pipelines.published.writing import write_settled
from pipelines.serving import memory
from pipelines.serving.after_runs import leave_files_to_the_caller
from pipelines.serving.emptied_tables import empty, show_again
from pipelines.serving.report import error_text
from pipelines.serving.unwritten_comments import leave_out_unwritten_comments
from pipelines.settings.client import Client
from pipelines.sources.credentials import conceal
from pipelines.sources.errors import PlatformError
from pipelines.warehouse_files import TornWarehouse, wait_until_free, why_unusable


class Failure(NamedTuple):
    """A model that failed: by which audit and how many rows, or by which error."""

    model: str
    reason: str

    def __str__(self) -> str:
        return f"{self.model}: {self.reason}"


class Computed(NamedTuple):
    """A model that was computed: how many of how many that is."""

    model: str
    done: int
    total: int


class _Listener(NoopConsole):
    """Collect the models that fail, which SQLMesh's own console only prints; tell which are computed."""

    def __init__(self) -> None:
        self.errors: list[NodeExecutionFailedError] = []
        self.warnings: list[str] = []
        self.tell: Callable[[Computed], None] | None = None
        self._done = self._total = 0

    def start_evaluation_progress(self, batched_intervals, *args, **kwargs) -> None:
        self._done, self._total = 0, sum(map(len, batched_intervals.values()))

    def update_snapshot_evaluation_progress(self, snapshot, *args, **kwargs) -> None:
        self._done += 1
        table = exp.to_table(snapshot.name)
        if self.tell:
            self.tell(Computed(f"{table.db}.{table.name}", self._done, self._total))

    def log_failed_models(self, errors) -> None:
        self.errors += errors

    def log_warning(self, short_message, *args, **kwargs) -> None:
        self.warnings.append(short_message)


class Warehouse:
    """One shard's clients in SQLMesh: plan, run and promote some of them, read their tables."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        os.environ["SHARD"] = shard
        os.environ["ATTRIBUTION_HOME"] = str(home())
        warehouse_folder().mkdir(parents=True, exist_ok=True)
        self._listener = _Listener()
        self.settled_otherwise: dict[
            str, int
        ] = {}  # client → conversions, by the last `write_files`
        set_console(self._listener)
        leave_files_to_the_caller()
        leave_out_unwritten_comments()
        self._load()
        for environment in ("daily", "prod"):
            self._finish(environment)

    def close(self) -> None:
        """Let go of the warehouse file."""
        self._context.close()

    def reload(self) -> None:
        """Load the models again, as settings and learned versions are now."""
        self.close()
        self._load()

    def _load(self) -> None:
        self._context = Context(paths=str(project_folder()))
        self._local: dict[str, frozenset | None] = {}

    @property
    def context(self) -> Context:
        """Return SQLMesh itself, for what is no plan and no run."""
        return self._context

    @property
    def models(self) -> dict[str, Model]:
        """Return the models of all the shard's clients by name, each after those that it reads."""
        ordered = self._context.dag.sorted
        models = [self._context.models[name] for name in ordered if name in self._context.models]
        return {model.name.replace('"', ""): model for model in models}

    def local(self, client: str) -> frozenset | None:
        """Return the version of a client that its file and the models describe now; None without any.

        Its models make it, whatever the warehouse knows of them. SQLMesh would read all of the
        shard back for it, to find what a plan that changes tables in place had made impossible to
        restore: no plan here is one.
        """
        if client not in self._local:
            models = self._context.models
            own: dict[str, Node] = {
                name: models[name] for name in models if _client(name) == client
            }
            versions = _versions(self._context._nodes_to_snapshots(own).values())
            self._local[client] = versions.get(client)
        return self._local[client]

    def promoted(self, environment: str) -> dict[str, frozenset]:
        """Return the version of each client in an environment; nothing without the environment."""
        record = self._context.state_reader.get_environment(environment)
        return _versions(record.snapshots) if record else {}

    def plan(self, environment: str, clients: Iterable[str], backfill: bool = True) -> None:
        """Bring some clients' local version into an environment, all of them or none.

        Without backfill only views change. Raise PlanError, with the failures, if one fails.
        """
        self._listener.errors.clear()
        builder = self._context.plan_builder(
            environment,
            select_models=[f"{client}_*" for client in clients],
            skip_backfill=not backfill,
            include_unmodified=environment == "daily",
            skip_tests=True,
        )
        try:
            self._context.apply(builder.build())
        except PlanError as error:
            failures = [str(each) for group in self._failures().values() for each in group]
            raise PlanError("\n".join(failures) or str(error)) from error

    def _finish(self, environment: str) -> None:
        """Finish a plan that was killed after SQLMesh had noted it, and before its views were made.

        SQLMesh takes such a plan for applied: planned again, it would have nothing to change.
        """
        record = self._context.state_reader.get_environment(environment)
        if not record or record.finalized_ts:
            return
        present = {each.name for each in record.snapshots}
        before = record.previous_finalized_snapshots or []
        removed = self._context.state_reader.get_snapshots(
            each.snapshot_id for each in before if each.name not in present
        )
        self._context.snapshot_evaluator.demote(removed.values(), record.naming_info)
        builder = self._context.plan_builder(
            environment, skip_backfill=True, skip_tests=True, always_include_local_changes=False
        )
        plan = builder.build()
        plan.context_diff.is_unfinalized_environment = True  # else it is skipped: nothing changed
        self._context.apply(plan)

    def run(self, environment: str, clients: Iterable[str]) -> dict[str, list[Failure]]:
        """Compute what is new for some clients; return the failures of those that failed.

        A scheduler for each client: SQLMesh's cost for a model grows with the models beside it.
        """
        self._listener.errors.clear()
        record = self._environment(environment)
        for client in clients:
            ids = [each for each in record.snapshots if _client(each.name) == client]
            own = self._context.state_reader.get_snapshots(ids).values()
            scheduler = self._context.create_scheduler(own, self._context.snapshot_evaluator)
            scheduler.run(record.naming_info)
        return self._failures()

    def tell_progress(self, tell: Callable[[Computed], None]) -> None:
        """Have a function told of each model that is computed from now on."""
        self._listener.tell = tell

    def empty(self, client: str) -> None:
        """Take back all that was computed of a client in `daily` and `prod`: the next run computes it."""
        empty(self._context, client)

    def show_again(self, client: str) -> None:
        """Make the views of a client's versions in `daily` and `prod`, whatever became of them."""
        show_again(self._context, client)

    def write_files(self, clients: Iterable[Client], afresh: bool = False) -> dict[str, str]:
        """Write the published files of clients that have new numbers; return why, where it failed.

        Afresh, they are written although they are there: of a file that lies on the disk already, nobody
        knows whether it is whole.
        """
        keep = {client.id: client.published_files for client in clients}
        self.settled_otherwise = {}
        models = promoted_models(self._context)
        return write_settled(self.connection(), keep, models, self._go_on, afresh)

    def _go_on(self, client: str, read_before: datetime | None) -> None:
        """Show what was settled of a client, with what is still ahead of it."""
        done = publish_changes(client, read_before)
        self.settled_otherwise[client] = done.replaced if done else 0

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query."""
        return self._context.engine_adapter.fetchall(query)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return DuckDB's own connection to the warehouse, to read by: this process holds the file."""
        return self._context.engine_adapter.cursor

    def _environment(self, name: str) -> Environment:
        """Return an environment. Raise LookupError if nothing was ever planned into it."""
        if record := self._context.state_reader.get_environment(name):
            return record
        raise LookupError(f"there is no environment {name} yet; plan it first")

    def _failures(self) -> dict[str, list[Failure]]:
        failures: dict[str, list[Failure]] = defaultdict(list)
        for error in self._listener.errors:
            node = error.node  # of a table that could not be created, it is the snapshot itself
            table = exp.to_table(getattr(node, "snapshot_name", None) or node.name)
            cause = error.__cause__
            for each in cause.errors if isinstance(cause, NodeAuditsErrors) else [cause]:
                failure = Failure(f"{table.db}.{table.name}", self._reason(each))
                failures[_client(table.sql())].append(failure)
        return dict(failures)

    def _reason(self, error: BaseException | None) -> str:
        if isinstance(error, PythonModelEvalError):  # its text is a traceback
            error = error.__context__ or error
        if isinstance(error, PlatformError):
            return f"{error.code}: {conceal(str(error))}"
        if isinstance(error, AuditError):
            return self._rows_that_fail(error)
        if isinstance(error, duckdb.Error):  # the file may be torn, the disk full
            error = why_unusable(self._shard, error) or error
        if isinstance(error, TornWarehouse):
            torn_blocks.doubt(self._shard)
        return error_text(error)

    def _rows_that_fail(self, error: AuditError) -> str:
        rows = self._context.engine_adapter.fetchdf(error.query.limit(3)).to_dict("records")
        examples = "; ".join(", ".join(f"{name} = {row[name]}" for name in row) for row in rows)
        return f"audit {error.audit_name} failed, {error.count} row(s), such as {examples}"


@contextmanager
def opened(shard: str) -> Iterator[Warehouse]:
    """Open a shard's warehouse for a command that changes one client: the others stay remembered.

    Raise WarehouseError if another process has it open, or it is not readable.
    """
    wait_until_free(shard, datetime.now(timezone.utc), lambda line: None)
    with memory.unchanged_for_others(shard), closing(Warehouse(shard)) as warehouse:
        yield warehouse


@cache
def _client(table: str) -> str:
    """Return the client that a table belongs to; asked for every table of a shard, again and again."""
    return exp.to_table(table).db.split("_")[0]


def _versions(snapshots: Iterable) -> dict[str, frozenset]:
    versions: dict[str, set] = defaultdict(set)
    for snapshot in snapshots:
        versions[_client(snapshot.name)].add(snapshot.snapshot_id)
    return {client: frozenset(ids) for client, ids in versions.items()}
