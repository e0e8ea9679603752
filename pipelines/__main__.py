"""The commands behind the Makefile: `python -m pipelines --help`."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.settings.client import Client
from pipelines.settings.reader import Problem, keep, read

if TYPE_CHECKING:
    from pipelines.learning.lesson import Lesson
    from pipelines.serving.morning import Report

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ingest every client's exports, serve every client's morning, preview and promote changes.",
)
screen = Console(highlight=False, soft_wrap=True, width=max(Console().width, 110))

Chosen = Annotated[
    str, typer.Argument(help="The client, as its file is called: acme.", metavar="CLIENT")
]
Some = Annotated[
    list[str] | None,
    typer.Option("--client", help="Only this client; repeat for more. All of them, if left out."),
]


@app.command()
def ingest(client: Some = None) -> None:
    """Append what is new in every client's exports to the lake.

    A refused export halts its client alone, until it is delivered again: the gate holds the
    client's published tables. So the exit status is 0 as long as the others were served.
    """
    clients, problems = _read(client)
    _ingest(clients, problems)


@app.command()
def daily(client: Some = None) -> None:
    """Ingest, run `daily`, audit, promote each client that passes, and say what is published.

    The exit status is 1 if a client is held: it keeps what it had.
    """
    from pipelines.serving.morning import serve

    clients, problems = _read(client)
    _ingest(clients, problems)
    reports = []
    with _progress("Run") as bar:
        task = bar.add_task("Run", total=len(clients))
        for report in serve(clients):
            reports.append(report)
            bar.advance(task)
    screen.print(_published(sorted(reports)))
    for report in sorted(reports):
        for reason in report.reasons:
            screen.print(f"[red]{report.client}[/red]: {escape(reason)}")
    if problems or any(report.result == "held" for report in reports):
        raise typer.Exit(1)


@app.command()
def status(client: Some = None) -> None:
    """Say how each source of each client stood when it was last asked.

    The exit status is 1 if any is not ok.
    """
    from pipelines.ingest.source_status import statuses

    table = Table("client", "source", "status", "days missing", "missing from", "retry at (UTC)")
    problems = []
    for one in _read(client)[0]:
        for said in statuses(one):
            code = said.code if said.code == "ok" else f"[red]{said.code}[/red]"
            days = said.days_missing
            missing = (str(len(days)), days[0]) if days else ("", "")
            table.add_row(one.id, said.source, code, *missing, said.retry_at)
            if said.code != "ok":
                problems.append(f"[red]{one.id}[/red]: {said.source}: {escape(said.problem)}")
    screen.print(table if table.row_count else "No source was asked yet; run make ingest")
    for problem in problems:
        screen.print(problem)
    if problems:
        raise typer.Exit(1)


@app.command()
def backfill(
    client: Chosen,
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day of the history.")
    ],
) -> None:
    """Load a client's history from its platforms; the next `make daily` includes it.

    A slice is a commit: ended at any time, it goes on where it was when it is started again, and
    nobody's morning waits for it. The exit status is 1 if a platform did not answer all of it.
    """
    from pipelines.ingest.backfill import backfill as load_history
    from pipelines.ingest.backfill import platforms
    from pipelines.ingest.load_counts import Counts

    (chosen,), _ = _read([client])
    if not (sources := platforms(chosen)):
        raise _stop(
            f"{client} has no source with `api:` in its file; exports are read whole by make ingest"
        )
    os.nice(10)  # mornings go first
    table = Table("source", "slices", "read", "new", "unchanged", "days missing")
    problems = []
    for source in sources:
        slices, counts, left = 0, Counts(), 0
        with _progress(source) as bar:
            task = bar.add_task(source, total=None)
            for done in load_history(chosen, source, since.date()):
                if done.problem:
                    problems.append(f"[red]{client}[/red]: {source}: {escape(done.problem)}")
                    break
                if not done.name:
                    bar.update(task, total=done.days_missing)
                    total = done.days_missing
                left, counts, slices = (
                    done.days_missing,
                    counts + done.counts,
                    slices + bool(done.name),
                )
                bar.update(task, completed=total - left)
        shown = (slices, counts.read, counts.appended, counts.unchanged, left)
        table.add_row(source, *map(str, shown))
    screen.print(table)
    for problem in problems:
        screen.print(problem)
    if problems:
        raise typer.Exit(1)


@app.command()
def blueprint(client: Chosen) -> None:
    """Print the variables that a client's SQL models are made of: meaning, readers, value."""
    from pipelines.blueprints.explained import explain

    (chosen,), _ = _read([client])
    for paragraph in explain(chosen):
        screen.print(paragraph, "", sep="\n", markup=False)


@app.command()
def train(client: Chosen) -> None:
    """Train a client's models that learn on its published paths, and show what they have learnt.

    Credit given so far stays as it is; what is revised from now on goes by the new versions.
    """
    from pipelines.learning import training
    from pipelines.learning.learners import learners
    from pipelines.learning.published import published

    (chosen,), _ = _read([client])
    if not learners(chosen):
        raise _stop(
            f"{client} asks for no model that learns; in clients/{client}.yaml, set"
            " attribution.model or attribution.compare to markov, shapley or ihc"
        )
    try:
        with published(chosen) as connection:
            if not connection:
                raise _stop(f"{client} has no published paths to learn from yet; run make daily")
            lessons = training.train(connection, chosen, training.utc_now())
    except training.TrainingError as error:
        raise _stop(str(error)) from None
    for lesson in lessons:
        _show(client, lesson)


@app.command()
def preview(client: Chosen) -> None:
    """Build a client's change in `dev`, and print how it shifts credit among the channels."""
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion

    (chosen,), _ = _read([client])
    try:
        shifts = promotion.preview(chosen)
    except PlanError as error:
        raise _stop(f"{client}: the change does not pass\n{error}") from None
    except TrainingError as error:
        raise _stop(str(error)) from None
    if shifts is None:
        screen.print(f"{client}: not in `prod` yet; the next make daily publishes it if it passes")
        return
    if not shifts:
        screen.print(f"{client}: nothing to compare, `prod` is as its file says")
        return
    table = Table("channel", "credit in prod", "in dev", "revenue in prod", "in dev")
    for shift in shifts:
        credit = (f"{shift.credit_before:.2f}", f"{shift.credit_after:.2f}")
        table.add_row(shift.channel, *credit, shift.revenue_before, shift.revenue_after)
    screen.print(table)
    screen.print(f"{client}: promote it with `make promote CLIENT={client}`")


@app.command()
def promote(
    clients: Annotated[
        list[str] | None, typer.Argument(help="The clients; all, if left out.")
    ] = None,
) -> None:
    """Bring each client's change into `daily` and `prod`, if its audits pass; retire one without a file.

    The exit status is 1 if a client does not pass: it keeps what it had, the others are promoted.
    """
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion

    shards = {client.id: client.shard for client in _read(None)[0]}
    failed = False
    for client in clients or shards:
        try:
            changed = promotion.promote(client, shards.get(client, os.environ.get("SHARD", "home")))
        except (PlanError, TrainingError) as error:
            screen.print(
                f"[red]{client}[/red]: not promoted, it keeps what it had\n{escape(str(error))}"
            )
            failed = True
        else:
            screen.print(f"{client}: {'promoted' if changed else 'already as its file says'}")
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    client: Chosen,
    table: Annotated[str, typer.Option(help="The published table.")] = "channel_reporting",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day; all, if left out.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day, included.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="The file; CLIENT-TABLE.csv here, if left out.")
    ] = None,
) -> None:
    """Write a client's published table as CSV, of some days or of all."""
    from reports.tables import Days, ReportError, write

    (chosen,), _ = _read([client])
    days = Days(since and since.date(), until and until.date())
    target = to or Path(f"{client}-{table}.csv")
    try:
        count = write(chosen, table, days, target)
    except ReportError as error:
        raise _stop(str(error)) from None
    screen.print(f"{client}: {count} rows of {table} in {target}", markup=False)


def _show(client: str, lesson: "Lesson") -> None:
    columns = ["channel", "value", "before", "change"]
    uncertain = any(lesson.errors.values())
    table = Table(*columns, *(["standard error"] if uncertain else []), title=lesson.model)
    for channel in lesson.values | lesson.before:
        value, before = (each.get(channel, 0) for each in (lesson.values, lesson.before))
        error = [f"{lesson.errors.get(channel, 0):.4f}"] if uncertain else []
        known = (f"{before:.4f}", f"{value - before:+.4f}") if lesson.before else ("", "")
        table.add_row(channel, f"{value:.4f}", *known, *error)
    if table.row_count:
        screen.print(table)
    version = f", version {lesson.version}" if lesson.version else ""
    screen.print(f"{client}: {lesson.model}{version}: {lesson.summary}")
    if lesson.is_first:
        screen.print(f"{client}: its first version; promote it with `make promote CLIENT={client}`")


def _read(chosen: list[str] | None) -> tuple[list[Client], list[Problem]]:
    clients, problems = read()
    for problem in problems:
        screen.print(
            f"[red]{problem.client}[/red]: {escape(problem.message)}\n  {problem.fallback}"
        )
    broken = {problem.client for problem in problems}
    for client in clients:
        if client.id not in broken:
            keep(client)
    if unknown := set(chosen or []) - {client.id for client in clients}:
        raise _stop(
            f"no usable client {', '.join(sorted(unknown))} in clients/; docs/clients.md says how to add one"
        )
    if not clients:
        raise _stop("no usable client in clients/; start from a copy of docs/reference.yaml")
    return [client for client in clients if not chosen or client.id in chosen], problems


def _published(reports: list["Report"]) -> Table:
    columns = ("conversions", "currency", "revenue", "unattributed_revenue", "spend")
    table = Table("client", "result", *columns[:3], "unattributed", "spend", "loaded until")
    table.columns[-1].no_wrap = True
    for report in reports:
        said = report.published
        result = f"[red]{report.result}[/red]" if report.result == "held" else report.result
        shown = (said.get(name, "") for name in columns)
        table.add_row(report.client, result, *shown, said.get("loaded_until", "")[:16])
    return table


def _ingest(clients: list[Client], problems: list[Problem]) -> None:
    from pipelines.ingest.run import ingest as bring_in

    outcomes = []
    with _progress("Ingest") as bar:
        task = bar.add_task("Ingest", total=len(clients))
        for done in bring_in(clients):
            outcomes += done
            bar.advance(task)
    table = Table("client", "source", "read", "new", "unchanged", "deleted", "quarantined")
    for outcome in sorted(outcomes, key=lambda outcome: outcome[:2]):
        if outcome.counts.read or outcome.counts.deleted:
            table.add_row(outcome.client, outcome.source, *(str(count) for count in outcome.counts))
    screen.print(table if table.row_count else "Ingest: nothing new in any export")
    for outcome in sorted(outcomes, key=lambda outcome: outcome[:2]):
        if outcome.problem:
            stands = "halted" if outcome.status.holds else "late"
            screen.print(
                f"[red]{outcome.client}[/red]: {outcome.source} is {stands}: {escape(outcome.problem)}"
            )


def _progress(what: str) -> Progress:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _stop(message: str) -> typer.Exit:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, markup=False)
    return typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="python -m pipelines")
