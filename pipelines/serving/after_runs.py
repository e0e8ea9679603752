"""Write the published files after whatever command computed or promoted published tables.

SQLMesh has a hook of its own, `after_all`. It is kept in an environment's state by the plan that
first knows of it, so a run in a home that was planned before would write nothing; it is not called
where nothing is to be computed, though files may be missing; and it does not learn which tables
were computed. So SQLMesh's own functions are extended here, for bare `sqlmesh run` and `plan` too.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any

from sqlglot import exp
from sqlmesh.core.context import GenericContext
from sqlmesh.core.context_diff import ContextDiff
from sqlmesh.core.plan import Plan
from sqlmesh.core.snapshot import DeployabilityIndex, Snapshot, SnapshotEvaluator
from sqlmesh.utils.date import to_datetime
from sqlmesh.utils.errors import SQLMeshError

from pipelines.fastpath.publishing import publish_changes
from pipelines.fastpath.rendering import promoted_models
from pipelines.lake.loads import seen_from
from pipelines.published import pending_tables
from pipelines.published.shown_tables import behind_published, is_settled
from pipelines.published.version_folders import behind_files
from pipelines.published.writing import write_settled
from pipelines.serving.replacing import learnt_as_filed, replacing
from pipelines.settings.kept_versions import PublishedFiles
from pipelines.settings.reader import last_settings

_is_left_to_the_caller = False


def leave_files_to_the_caller() -> None:
    """Write nothing after SQLMesh's own commands in this process: it writes files at its end."""
    global _is_left_to_the_caller
    _is_left_to_the_caller = True


def write_files_after_runs() -> None:
    """Make SQLMesh note which published tables it computes, and write the files at its end."""
    if hasattr(GenericContext.apply, "writes_files"):
        return
    SnapshotEvaluator.evaluate = _noted(SnapshotEvaluator.evaluate)  # type: ignore[method-assign]
    SnapshotEvaluator.promote = _noted_views(SnapshotEvaluator.promote, _are_other)  # type: ignore[method-assign]
    SnapshotEvaluator.demote = _noted_views(SnapshotEvaluator.demote, _are_shown)  # type: ignore[method-assign]
    GenericContext._run = _with_files(GenericContext._run)  # type: ignore[method-assign]
    apply = _with_files(_keeping(GenericContext.apply))
    GenericContext.apply = apply  # type: ignore[method-assign]


def _noted(evaluate: Callable) -> Callable:
    @wraps(evaluate)
    def noting(self: SnapshotEvaluator, snapshot: Snapshot, **arguments: Any) -> Any:
        table = exp.to_table(snapshot.name)
        client, _, layer = table.db.partition("_")
        if layer != "publish":
            if is_settled(layer, table.name):
                pending_tables.begin_upstream(client)
            return evaluate(self, snapshot, **arguments)
        index = arguments.get("deployability_index") or DeployabilityIndex.all_deployable()
        behind = exp.to_table(snapshot.table_name(is_deployable=index.is_deployable(snapshot))).name
        pending_tables.begin(client, behind, _read_before(arguments))
        result = evaluate(self, snapshot, **arguments)
        pending_tables.end(client, behind)
        return result

    return noting


def _read_before(arguments: dict[str, Any]) -> str:
    """Return before which moment all loads are read by a run: see `@run_began`."""
    began = to_datetime(arguments["execution_time"]).replace(tzinfo=None)
    return seen_from(began).isoformat()


def _noted_views(change: Callable, is_news: Callable[[set[str], set[str]], bool]) -> Callable:
    """Note the clients of which `prod` is to show other tables than their files were written from."""

    @wraps(change)
    def noting(
        self: SnapshotEvaluator,
        target_snapshots: Any,
        *placed: Any,
        **named: Any,
    ) -> Any:
        targets = list(target_snapshots)
        naming_info = named.get("environment_naming_info") or placed[0]  # SQLMesh does both
        if not naming_info.is_dev:
            for client, tables in _behind(targets).items():
                if is_news(tables, behind_files(client)):
                    pending_tables.promote(client)
        return change(self, targets, *placed, **named)

    return noting


def _are_other(promoted: set[str], of_files: set[str]) -> bool:
    return not promoted <= of_files


def _are_shown(demoted: set[str], of_files: set[str]) -> bool:
    return bool(demoted & of_files)


def _behind(snapshots: list[Snapshot]) -> dict[str, set[str]]:
    """Return the tables behind published views, by client."""
    found: dict[str, set[str]] = {}
    for snapshot in snapshots:
        client, _, layer = exp.to_table(snapshot.name).db.partition("_")
        if layer == "publish":
            found.setdefault(client, set()).add(exp.to_table(snapshot.table_name()).name)
    return found


def _with_files(command: Callable) -> Callable:
    @wraps(command)
    def writing(self: GenericContext, *positional: Any, **named: Any) -> Any:
        try:
            result = command(self, *positional, **named)
        except Exception:  # others than those who failed may have been computed whole
            _write(self)
            raise
        _write(self)
        return result

    writing.writes_files = True  # type: ignore[attr-defined]
    return writing


def _keeping(apply: Callable) -> Callable:
    """Keep what a bare `sqlmesh plan prod` takes out of force, as `make promote` does."""

    @wraps(apply)
    def keeping(self: GenericContext, plan: Plan, *positional: Any, **named: Any) -> Any:
        with ExitStack() as kept:
            is_bare = not _is_left_to_the_caller and not plan.environment_naming_info.is_dev
            for client in _changed(plan.context_diff) if is_bare else ():
                settings = last_settings(client)
                keep = settings.published_files if settings else PublishedFiles()
                kept.enter_context(learnt_as_filed(client))
                kept.enter_context(replacing(self, client, keep.keep_days))
            return apply(self, plan, *positional, **named)

    return keeping


def _changed(change: ContextDiff) -> set[str]:
    """Return the clients whose models a plan changes, or removes."""
    ids = [*change.added, *change.removed_snapshots]
    names = [*change.modified_snapshots, *(each.name for each in ids)]
    return {exp.to_table(name).db.partition("_")[0] for name in names}


def _write(context: GenericContext) -> None:
    """Write the files of all clients of a warehouse that have new numbers. Raise SQLMeshError if not."""
    if _is_left_to_the_caller:
        return
    warehouse = context.engine_adapter.cursor
    settings = {client: last_settings(client) for client in behind_published(warehouse)}
    shard = os.environ.get("SHARD", "home")
    keep = {
        client: found.published_files if found else PublishedFiles()
        for client, found in settings.items()
        if not found or found.shard == shard  # else it has moved, and this warehouse is not its own
    }
    if problems := write_settled(warehouse, keep, promoted_models(context), publish_changes):
        raise SQLMeshError("\n".join(f"{name}: {why}" for name, why in problems.items()))
