"""The commands behind the Makefile: `python -m pipelines --help`.

How results look is in `screen.py`. What is heavy, as SQLMesh and dlt, is imported by the commands
that need it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import screen
from pipelines.settings.client import Client
from pipelines.settings.reader import Problem, keep, named_by_files, read

if TYPE_CHECKING:
    from pipelines.ingest.source_status import Status

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ingest what clients deliver, serve every client's morning, preview and promote changes.",
    epilog="A client is a file, clients/CLIENT.yaml; each command names what is wrong with one, and"
    " serves the others. `make` alone lists the same commands with what they need installed.",
)
DAILY, CHANGES, READ = "Every day", "When something changes", "To read"

Chosen = Annotated[
    str, typer.Argument(help="The client, as its file is called: acme.", metavar="CLIENT")
]
Some = Annotated[
    list[str] | None,
    typer.Option("--client", help="Only this client; repeat for more. All of them, if left out."),
]


@app.command(rich_help_panel=DAILY)
def daily(client: Some = None) -> None:
    """Ingest, run `daily`, audit, promote each client that passes, and say what is published.

    The exit status is 1 if a client is held, which keeps what it had, if a source is stale, or if
    the file of a client is gone, misnamed or wrong. For one client:
    `python -m pipelines daily --client acme`.
    """
    from pipelines.serving.morning import morning
    from pipelines.serving.turn import DAILY, NotOurTurn, turn

    clients, problems = _read_and_name_missing(client)
    try:
        with turn(DAILY, screen.tell):
            outcomes, reports = screen.watched(morning(clients), len(clients))
    except NotOurTurn as error:
        screen.tell(f"{error}: it serves the morning, this command leaves it to that one")
        return
    screen.show_ingest(outcomes)
    screen.show_morning(reports, outcomes)
    _warn_of_versions(clients)
    _warn_of_sharing(clients)
    _warn_of_loads_ahead(clients)
    is_held = any(report.result == "held" for report in reports)
    _end(problems or is_held or any(status.code == "stale" for status in _statuses(clients)))


@app.command(rich_help_panel=DAILY)
def ingest(client: Some = None) -> None:
    """Append what is new in every client's exports to the lake.

    A refused export halts its client alone, until it is delivered again: the gate holds the
    client's published tables. So the exit status is 0 as long as the others were served.
    """
    clients, _ = _read_and_name_missing(client)
    _ingest(clients)
    _warn_of_sharing(clients)


@app.command(rich_help_panel=READ)
def status(client: Some = None) -> None:
    """Show the status of each source of each client, as of its last ingest, and who is held.

    The exit status is 1 if any is not ok, if a client was held by its last morning, or if a
    client's file is gone, misnamed or wrong.
    """
    from pipelines.serving.memory import held_for

    clients, problems = _read_and_name_missing(client)
    found = _statuses(clients)
    screen.show_statuses(found)
    _warn_of_versions(clients)
    _warn_of_sharing(clients)
    is_ahead = _warn_of_loads_ahead(clients)
    explained = {status.client for status in found if status.holds}
    held = [
        (client.id, reason)
        for client in clients
        for reason in held_for(client)
        if client.id not in explained
    ]
    for name, reason in held:
        screen.warn(name, f"held by its last morning: {reason}")
    _end(problems or is_ahead or held or any(status.code != "ok" for status in found))


@app.command(rich_help_panel=CHANGES)
def backfill(
    client: Chosen,
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day of the history.")
    ],
) -> None:
    """Load a client's history from its platforms; the next `make daily` includes it.

    A slice is a commit: ended at any time, it goes on where it was when it is started again, and
    nobody's morning waits for it. The exit status is 1 if a platform did not answer all of it.
    Such as: `python -m pipelines backfill nova --since 2026-08-01`.
    """
    from pipelines.ingest.backfill import backfill as load_history
    from pipelines.ingest.backfill import platforms

    chosen = _one(client)
    if not (sources := platforms(chosen)):
        raise _stop(
            f"{client} has no source with `api:` in its file; exports are read whole by make ingest"
        )
    os.nice(10)  # mornings go first
    slices = {
        source: list(screen.filled(source, load_history(chosen, source, since.date())))
        for source in sources
    }
    screen.show_backfill(client, slices)
    _end(any(each.problem for loaded in slices.values() for each in loaded))


@app.command(rich_help_panel=CHANGES)
def accept(
    client: Chosen,
    source: Annotated[str, typer.Option(help="The source that is held: salesforce.")],
) -> None:
    """Confirm that a held full export lacks what is really gone; the next `make daily` takes it.

    It shows what will be deleted. The word is bound to that delivery and to what is known before it:
    another file asks again. Such as: `python -m pipelines accept acme --source salesforce`.
    """
    from pipelines.ingest import acceptance

    chosen = _one(client)
    waiting = acceptance.waiting_of(chosen.id, source)
    if not waiting:
        raise _stop(
            f"{client}: nothing of {source} waits to be accepted; make status shows what is held"
        )
    screen.show_waiting(waiting)
    for each in waiting:
        acceptance.accept(chosen.id, source, each)
    screen.say(client, "accepted; the next make daily deletes them")


@app.command(rich_help_panel=CHANGES)
def reread(
    client: Chosen,
    source: Annotated[str, typer.Option(help="The source whose exports are read: web.")],
) -> None:
    """Read every file of a source again, although nothing has changed; the next `make daily` includes it.

    What a file says otherwise now is a new load: changed rows are appended, rows that no file yields
    any more are deleted. Changed settings are read again without it, by `make ingest` and `make daily`.
    Such as: `python -m pipelines reread acme --source web`.
    """
    from pipelines.ingest.run import ingest_source
    from pipelines.sources.deliveries import platform_of

    chosen = _one(client)
    if source not in (sources := sorted({name for name, _, _ in chosen.sources.feeds()})):
        raise _stop(f"{client} has no source {source}; it has {', '.join(sources)}")
    if platform_of(chosen, source):
        raise _stop(
            f"{client}: {source} is asked by its API and has no files; make backfill asks for more days"
        )
    outcome = ingest_source(chosen, source, is_asked=True)
    screen.show_ingest([outcome])
    _end(outcome.problem)


@app.command(rich_help_panel=READ)
def blueprint(client: Chosen) -> None:
    """Print the variables that a client's SQL models are made of: meaning, readers, value."""
    from pipelines.blueprints.explained import explain

    screen.show_paragraphs(explain(_one(client)))


@app.command(rich_help_panel=CHANGES)
def train(client: Chosen) -> None:
    """Train a client's models that learn on its published paths, and show what they have learnt.

    Credit given so far stays as it is; what is revised from now on goes by the new versions.
    """
    from pipelines.learning import training
    from pipelines.learning.learners import learners
    from pipelines.learning.published import published

    chosen = _one(client)
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
        screen.show_lesson(client, lesson)


@app.command(rich_help_panel=CHANGES)
def preview(client: Chosen) -> None:
    """Build a client's change in `dev`, and print how it shifts credit among the channels.

    Nothing that is published changes. Edit clients/CLIENT.yaml, preview, then promote.
    """
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion

    (chosen,), problems = _read([client])
    if problems:
        raise _stop(f"{client}: not previewed, `prod` keeps what it has; correct its file first")
    try:
        with _turn("make preview"):
            shifts = promotion.preview(chosen)
    except PlanError as error:
        raise _stop(f"{client}: the change does not pass\n{error}") from None
    except TrainingError as error:
        raise _stop(str(error)) from None
    if shifts is None:
        screen.say(client, "not in `prod` yet; the next make daily publishes it if it passes")
    elif not shifts:
        screen.say(client, "nothing to compare, the models in `prod` are as its file says")
    else:
        screen.show_shifts(client, shifts)
    _name_rereads(chosen)


@app.command(rich_help_panel=CHANGES)
def promote(
    clients: Annotated[
        list[str] | None, typer.Argument(help="The clients; all that have a file, if left out.")
    ] = None,
) -> None:
    """Bring each client's change into `daily` and `prod`, if its audits pass; retire one without a file.

    A retired client's views go, its lake stays. The exit status is 1 if a client does not pass: it
    keeps what it had, the others are promoted.
    """
    found, problems = read()
    screen.show_problems(problems)
    for client in found:
        keep(client)
    settings = {client.id: client for client in found}
    for problem in problems:
        settings.pop(problem.client, None)
    chosen = clients or [client.id for client in found]
    gone = [client for client in chosen if client not in named_by_files()]
    with _turn("make promote"):
        passed = [_promote(each, settings.get(each)) for each in chosen if each not in gone]
        _end(not all([*passed, not gone or _retire(gone)]))


@app.command(rich_help_panel=READ)
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

    chosen = _one(client)
    days = Days(since and since.date(), until and until.date())
    target = to or Path(f"{client}-{table}.csv")
    try:
        count = write(chosen, table, days, target)
    except ReportError as error:
        raise _stop(str(error)) from None
    screen.say(client, f"{count} rows of {table} in {target}")


def _read(chosen: list[str] | None) -> tuple[list[Client], list[Problem]]:
    """Return the chosen clients and the problems with their files, all of which are shown."""
    clients, problems = read()
    problems = [problem for problem in problems if not chosen or problem.client in chosen]
    screen.show_problems(problems)
    for client in clients:
        keep(client)
    if unknown := set(chosen or []) - {client.id for client in clients}:
        raise _stop(
            f"no usable client {', '.join(sorted(unknown))} in clients/; docs/clients.md says how to add one"
        )
    if not clients:
        raise _stop("no usable client in clients/; start from a copy of docs/reference.yaml")
    return [client for client in clients if not chosen or client.id in chosen], problems


def _read_and_name_missing(chosen: list[str] | None) -> tuple[list[Client], list[Problem]]:
    """Return the same, and show also the clients whose file is gone."""
    from pipelines.serving.retirement import without_file

    missing = [problem for problem in without_file() if not chosen or problem.client in chosen]
    screen.show_problems(missing)
    clients, problems = _read(chosen)
    return clients, problems + missing


def _one(client: str) -> Client:
    (chosen,), _ = _read([client])
    return chosen


def _ingest(clients: list[Client]) -> None:
    from pipelines.ingest.run import ingest

    done = screen.counted("Ingest", ingest(clients), len(clients))
    screen.show_ingest([outcome for outcomes in done for outcome in outcomes])


def _statuses(clients: list[Client]) -> "list[Status]":
    """Return the status of each source of the clients, as of now."""
    from pipelines.ingest.source_status import statuses

    return [status for client in clients for status in statuses(client)]


def _warn_of_versions(clients: list[Client]) -> None:
    """Show which platforms are asked in a version of their API that ends soon, or has ended."""
    from pipelines.sources.platforms.expired_versions import ending_versions

    for client in clients:
        for warning in ending_versions(client):
            screen.warn(client.id, warning)


def _warn_of_sharing(clients: list[Client]) -> None:
    """Show which clients read from one place, or deliver one content."""
    from pipelines.ingest.sharing import shared

    for client, what in shared(clients):
        screen.warn(client, what)


def _name_rereads(client: Client) -> None:
    """Show which exports are read otherwise by the client's file than they were."""
    from pipelines.ingest.readings import to_be_read_again

    for changed in to_be_read_again(client):
        screen.say(
            client.id,
            f"{changed} is read otherwise now: the next make ingest or make daily reads its files again, and"
            " what is published follows without a promotion",
        )


def _warn_of_loads_ahead(clients: list[Client]) -> bool:
    """Show loads that are dated in the future, which no run takes yet; return whether there are any."""
    from pipelines.lake.future_loads import dated_ahead

    ahead = [(client, found) for client in clients if (found := dated_ahead(client.id))]
    for client, sources in ahead:
        for source, moment in sources.items():
            screen.warn(
                client.id,
                f"{source}: its newest load is dated {moment:%Y-%m-%d %H:%M} UTC, in the future, as the machine's"
                " clock was ahead; runs take it from then on, docs/operations.md says how to take it now",
            )
    return bool(ahead)


def _promote(client: str, settings: Client | None) -> bool:
    """Promote a client that has a file; return whether it passed, and show why not."""
    from sqlmesh.utils.errors import PlanError

    from pipelines.learning.training import TrainingError
    from pipelines.serving import promotion

    if not settings:
        screen.warn(client, "not promoted, `prod` keeps what it has; correct its file first")
        return False
    try:
        changed = promotion.promote(settings)
    except (PlanError, TrainingError) as error:
        screen.warn(client, f"not promoted, it keeps what it had\n{error}")
        return False
    screen.say(client, "promoted" if changed else "already as its file says")
    _name_rereads(settings)
    return True


def _retire(clients: list[str]) -> bool:
    """Retire clients without a file; return whether they are, and show why not."""
    from sqlmesh.utils.errors import PlanError

    from pipelines.serving.retirement import RetirementError, retire

    try:
        retire(clients)
    except (PlanError, RetirementError) as error:
        screen.fail(str(error))
        return False
    for client in clients:
        screen.say(client, "retired; its lake stays")
    return True


@contextmanager
def _turn(command: str) -> Iterator[None]:
    """Take the turn to change what is published, or stop and say who has it."""
    from pipelines.serving.turn import NotOurTurn, turn

    try:
        with turn(command):
            yield
    except NotOurTurn as error:
        raise _stop(f"{error}: try again when it has ended") from None


def _end(is_wrong: object) -> None:
    if is_wrong:
        raise typer.Exit(1)


def _stop(message: str) -> typer.Exit:
    screen.fail(message)
    return typer.Exit(1)


_INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended


def main() -> None:
    """Run the command; what the operator alone can mend is said in a line."""
    try:
        app(prog_name="python -m pipelines")
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            screen.fail("interrupted: what was committed and published stays; run it again")
        raise
    except Exception as error:
        from pipelines.disk import disk_problem
        from pipelines.warehouse_files import WarehouseError

        if not (line := str(error) if isinstance(error, WarehouseError) else disk_problem(error)):
            raise
        screen.fail(line)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
