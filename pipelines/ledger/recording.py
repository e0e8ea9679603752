"""Record a run in the ledger while it lasts."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

from pipelines.code import running_code
from pipelines.ledger.day_files import append
from pipelines.ledger.processes_alive import this_process
from pipelines.ledger.run_events import Kind, Run, event

_log = logging.getLogger(__name__)


@contextmanager
def recorded(client: str, step: str, source: str = "", within: Run | None = None) -> Iterator[Run]:
    """Record one step of a client's way: that it starts, and how it ended.

    What became of it is set on the run that is yielded; an error ends it as failed and is raised on:

        with recorded("acme", "promote") as run:
            run.outcome, run.rows = "promoted", 12
    """
    run = begin(client, step, source, within)
    began = time.process_time()
    try:
        yield run
    except Exception as error:
        run.fails("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        raise
    except BaseException:  # Ctrl-C, or a command that ends itself
        run.fails("interrupted", "it was interrupted")
        _write(run, "ABORT", time.process_time() - began)
        raise
    finally:
        if run.outcome != "interrupted":
            end(run, time.process_time() - began)


def begin(client: str, step: str, source: str = "", within: Run | None = None) -> Run:
    """Record that a step starts; whoever calls this records how it ended."""
    run = Run(client, step, source, within)
    _write(run, "START")
    return run


def end(run: Run, cpu_seconds: float | None = None) -> None:
    """Record how a run ended."""
    _write(run, "FAIL" if run.has_failed else "COMPLETE", cpu_seconds)


def _write(run: Run, kind: Kind, cpu_seconds: float | None = None) -> None:
    """Append an event; where the disk takes nothing, say so, and let the run go on."""
    now = datetime.now(timezone.utc)
    cpu = None if cpu_seconds is None else round(cpu_seconds, 3)
    try:
        append(event(run, kind, now, running_code()[:12], this_process(), cpu), now)
    except OSError as error:
        _log.warning("%s: runs/ does not have its %s: %s", run.client, run.step, error)
