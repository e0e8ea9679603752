"""Show how far a morning is: bars on a terminal, elsewhere a line for each client and step, or JSON."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.commands import screen

if TYPE_CHECKING:
    from pipelines.ingest.run import Outcome
    from pipelines.ledger.recording import Step
    from pipelines.serving.morning import Event
    from pipelines.serving.report import Report

_console = Console(stderr=True, highlight=False, soft_wrap=True)


def watched(
    events: "Iterable[Event]", total: int, as_json: bool = False
) -> "tuple[list[Outcome], list[Report]]":
    """Return what a morning brought and what it published, and show what happens meanwhile."""
    from pipelines.serving.morning import Ingested
    from pipelines.serving.report import Report

    outcomes: list[Outcome] = []
    reports: list[Report] = []
    with _emitted() if as_json else _bars(total) if _console.is_terminal else _lines() as show:
        for event in events:
            if isinstance(event, Ingested):
                outcomes += event.outcomes
            elif isinstance(event, Report):
                reports.append(event)
            show(event)
    return outcomes, reports


def emit_outcome(outcome: "Outcome") -> None:
    """Print as JSON what became of a source."""
    status = outcome.status
    screen.emit(
        client=outcome.client,
        step="ingest",
        source=outcome.source,
        outcome=status.code,
        reason=status.summary,
        rows=outcome.counts._asdict(),
        warnings=status.warnings,
        notes=status.notes,
    )


@contextmanager
def _emitted() -> "Iterator[Callable[[Event], None]]":
    from pipelines.ledger.recording import Step
    from pipelines.serving.morning import Ingested, Waiting

    def emit(event: "Event") -> None:
        if isinstance(event, Ingested):
            for outcome in event.outcomes:
                emit_outcome(outcome)
        elif isinstance(event, Waiting):
            screen.tell(event.line)
        elif isinstance(event, Step):
            if event.kind != "START":
                run = event.run
                screen.emit(
                    client=run.client,
                    step=run.step,
                    source=run.source,
                    outcome=run.outcome,
                    reason=run.reason,
                    cpu_seconds=run.cpu_seconds,
                )
        else:
            screen.emit(
                client=event.client,
                step="daily",
                outcome=event.result,
                reasons=event.reasons,
                trained=event.trained,
                published=event.published._asdict() if event.published else None,
            )

    yield emit


@contextmanager
def _lines() -> "Iterator[Callable[[Event], None]]":
    """Print a line with the time for each client and step."""

    def line(event: "Event") -> None:
        if said := _said(event):
            now = datetime.now(timezone.utc)
            _console.print(f"{now:%Y-%m-%d %H:%M:%S}Z {said}", markup=False)

    yield line


def _said(event: "Event") -> str:
    from pipelines.ledger.recording import Step
    from pipelines.serving.morning import Ingested, Waiting

    if isinstance(event, Waiting):
        return event.line
    if isinstance(event, Ingested):
        return f"{event.client}: ingest: {_ingested(event.outcomes)}"
    if isinstance(event, Step):
        return "" if event.kind == "START" else f"{event.run.client}: {_done(event)}"
    return f"{event.client}: {event.result}"


def _ingested(outcomes: "list[Outcome]") -> str:
    rows = sum(each.counts.appended for each in outcomes)
    wrong = [f"{each.source} {each.status.code}" for each in outcomes if each.problem]
    return ", ".join([f"{rows} new rows", *wrong])


def _done(step: "Step") -> str:
    """Return what a step came to, such as `train markov: ok`."""
    return f"{f'{step.run.step} {step.run.source}'.strip()}: {step.run.outcome}"


@contextmanager
def _bars(total: int) -> "Iterator[Callable[[Event], None]]":
    """Count the clients that are ingested, and those that are served, and name what is done now."""
    from pipelines.ledger.recording import Step
    from pipelines.serving.morning import Ingested, Waiting

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
    )
    with Progress(*columns, console=_console, transient=True) as progress:
        ingest, run = (progress.add_task(what, total=total, now="") for what in ("Ingest", "Run"))

        def advance(event: "Event") -> None:
            if isinstance(event, Waiting):
                progress.console.print(event.line, markup=False)
            elif isinstance(event, Step):
                is_over = event.kind != "START"
                now = "" if is_over else f"{event.run.client}: {event.run.step}"
                progress.update(run, now=now)
            else:
                is_ingested = isinstance(event, Ingested)
                progress.update(ingest if is_ingested else run, advance=1, now=_said(event))

        yield advance
