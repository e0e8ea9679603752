"""Make SQLMesh note which model it computes; apart from `at_work`, as it loads all of SQLMesh."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlglot import exp
from sqlmesh.core.snapshot import SnapshotEvaluator

from pipelines.serving.at_work import at_work


def note_models() -> None:
    """Make SQLMesh note each model while it computes and audits it, in whichever command."""
    for name in ("evaluate", "audit"):
        step = getattr(SnapshotEvaluator, name)
        if not hasattr(step, "notes_its_work"):
            setattr(SnapshotEvaluator, name, _noting(step))


def _noting(step: Callable) -> Callable:
    @wraps(step)
    def noted(self: SnapshotEvaluator, snapshot: Any, *arguments: Any, **named: Any) -> Any:
        table = exp.to_table(snapshot.name)
        with at_work(os.environ.get("SHARD", ""), f"{table.db}.{table.name}"):
            return step(self, snapshot, *arguments, **named)

    noted.notes_its_work = True  # type: ignore[attr-defined]
    return noted
