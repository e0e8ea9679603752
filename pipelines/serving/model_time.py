"""Bound the time of a model: one that takes longer than its client allows is ended, and it alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, wraps
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import duckdb
from sqlglot import exp
from sqlmesh.core.snapshot import Snapshot, SnapshotEvaluator

from pipelines.home import clients_folder
from pipelines.ingest.remedies import to_paste
from pipelines.settings.client import Client
from pipelines.settings.limits import MOST_MINUTES, Limits
from pipelines.settings.reader import last_settings
from pipelines.sources.batches import Remedy
from pipelines.warehouse_files import WarehouseError

WEIGHING = ("credit",)
"""The models that compute a client's own weights."""

GROUPING = ("touchpoints", "stg_ad_spend", "spend_gaps")
"""The models that look for channels by a client's own rules."""

_AGAIN = 5  # seconds, after which what was interrupted between two queries is interrupted again


class TookTooLong(WarehouseError):
    """A model that was ended; the text says after how long, and the remedy."""


def bound_models() -> None:
    """Make SQLMesh end a model that takes too long, in whichever command computes it."""
    evaluate = SnapshotEvaluator.evaluate
    if not hasattr(evaluate, "__wrapped__"):
        SnapshotEvaluator.evaluate = _bounded(evaluate)  # type: ignore[method-assign]


def _bounded(evaluate: Callable) -> Callable:
    @wraps(evaluate)
    def within_its_time(self: SnapshotEvaluator, snapshot: Snapshot, **arguments: Any) -> Any:
        table = exp.to_table(snapshot.name)
        name = table.db.split("_")[0]
        client = _settings(clients_folder() / f"{name}.yaml")
        minutes = (client.limits if client else Limits()).model_minutes
        try:
            with interrupted_after(minutes * 60, self.adapter.cursor) as is_late:
                return evaluate(self, snapshot, **arguments)
        except Exception as error:
            if is_late.is_set():
                raise TookTooLong(_said(name, table.name, client, minutes)) from error
            raise

    return within_its_time


def _settings(file: Path) -> Client | None:
    """Return a client's settings; its file is read once, not for each of its models."""
    with suppress(OSError):
        return _read(file, file.stat().st_mtime_ns)
    return last_settings(file.stem)


@lru_cache(maxsize=8)
def _read(file: Path, changed: int) -> Client | None:
    return last_settings(file.stem)


@contextmanager
def interrupted_after(seconds: float, connection: duckdb.DuckDBPyConnection) -> Iterator[Event]:
    """Interrupt what a connection computes within, once it has taken so long; yield whether it has.

    DuckDB ends a query between two batches of rows, and rolls it back.
    """
    has_ended, is_late, turn = Event(), Event(), Lock()

    def watch() -> None:
        wait = seconds
        while not has_ended.wait(wait):
            with turn:  # what comes after it is not interrupted
                if not has_ended.is_set():
                    is_late.set()
                    connection.interrupt()
            wait = _AGAIN

    Thread(target=watch, daemon=True).start()
    try:
        yield is_late
    finally:
        with turn:
            has_ended.set()


def _said(name: str, model: str, client: Client | None, minutes: float) -> str:
    costly = ""
    if model in WEIGHING and client and client.attribution.custom:
        costly = "the weights under attribution.custom"
    if model in GROUPING and client and client.channels:
        costly = "the rules under channels"
    said = f"it took more than {minutes:g} minutes and was ended"
    simplify = f"simplify {costly}, then make preview and make promote" if costly else ""
    if minutes >= MOST_MINUTES:
        return f"{said}: {simplify or 'deliver less'}"
    longer = Remedy(f"model_minutes: {min(2 * minutes, MOST_MINUTES):g}", below="limits")
    either = f"{simplify}; or, if" if simplify else "if"
    return f"{said}: {either} its data are large, {to_paste(name, [longer])}"
