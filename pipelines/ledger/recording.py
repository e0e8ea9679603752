"""Record a run in the ledger while it lasts, and tell whoever listens."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Literal, NamedTuple

from pipelines.code import running_code
from pipelines.ledger.day_files import append
from pipelines.ledger.processes_alive import this_process
from pipelines.ledger.run_events import Kind, Run, event

_log = logging.getLogger(__name__)
_whole: ContextVar[Run | None] = ContextVar("the run that others are a part of", default=None)

INTERRUPTED: Literal["interrupted"] = "interrupted"


class Step(NamedTuple):
    """That a run has started or ended, as whoever listens hears it."""

    run: Run
    kind: Kind
    at: datetime


_listeners: list[Callable[[Step], None]] = []


@contextmanager
def recorded(client: str, step: str, source: str = "") -> Iterator[Run]:
    """Record one step of a client's way: that it starts, and how it ended.

    What became of it is set on the run that is yielded; an error ends it as failed and is raised on:

        with recorded("acme", "promote") as run:
            run.outcome, run.rows = "promoted", 12

    What is recorded meanwhile is a part of it.
    """
    run, began = begin(client, step, source), time.process_time()
    try:
        with parts_of(run):
            yield run
    except Exception as error:
        run.fails("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        raise
    except BaseException:  # Ctrl-C
        run.fails(INTERRUPTED, "it was interrupted")
        raise
    finally:
        end(run, time.process_time() - began)


def begin(client: str, step: str, source: str = "") -> Run:
    """Record that a step starts; whoever calls this records how it ended."""
    run = Run(client, step, source, _whole.get())
    _write(run, "START")
    return run


def end(run: Run, cpu_seconds: float | None = None) -> None:
    """Record how a run ended, and what it took of the processors: all its processes together."""
    run.cpu_seconds = None if cpu_seconds is None else round(cpu_seconds, 3)
    failed: Kind = "ABORT" if run.outcome == INTERRUPTED else "FAIL"
    _write(run, failed if run.has_failed else "COMPLETE")


@contextmanager
def parts_of(run: Run | None) -> Iterator[None]:
    """Record what is recorded meanwhile as a part of a run, which may be one of another process."""
    token = _whole.set(run)
    try:
        yield
    finally:
        _whole.reset(token)


def listen(hear: Callable[[Step], None]) -> None:
    """Have a function hear of every run that starts or ends in this process."""
    _listeners[:] = [hear]


def _write(run: Run, kind: Kind) -> None:
    """Append an event; where the disk takes nothing, say so, and let the run go on."""
    now = datetime.now(timezone.utc)
    try:
        append(event(run, kind, now, running_code()[:12], this_process()), now)
    except OSError as error:
        _log.warning("%s: runs/ does not have its %s: %s", run.client, run.step, error)
    for hear in _listeners:
        hear(Step(run, kind, now))
