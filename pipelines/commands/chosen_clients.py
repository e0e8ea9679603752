"""Read which clients a command is for, and end it if there are none or something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands import results, screen
from pipelines.settings.client import Client
from pipelines.settings.reader import Problem, keep, read

if TYPE_CHECKING:
    from pipelines.ingest.source_status import Status

Chosen = Annotated[
    str, typer.Argument(help="The client, as its file is called: acme.", metavar="CLIENT")
]
Some = Annotated[
    list[str] | None,
    typer.Option("--client", help="Only this client; repeat for more. All of them, if left out."),
]


def usable(chosen: list[str] | None, as_filed: bool = False) -> tuple[list[Client], list[Problem]]:
    """Return the chosen clients and the problems with their files, all of which are shown.

    Those that are rolled back have the settings in force, or, `as_filed`, those of their files.
    """
    clients, problems = read(as_filed=as_filed)
    problems = [problem for problem in problems if not chosen or problem.client in chosen]
    results.show_problems(problems)
    for client in clients:
        keep(client)
    if unknown := set(chosen or []) - {client.id for client in clients}:
        raise stop(
            f"no usable client {', '.join(sorted(unknown))} in clients/; docs/clients.md says how to add one"
        )
    if not clients:
        raise stop("no usable client in clients/; start from a copy of docs/reference.yaml")
    return [client for client in clients if not chosen or client.id in chosen], problems


def usable_and_missing(chosen: list[str] | None) -> tuple[list[Client], list[Problem]]:
    """Return the same, and show also the clients whose file is gone."""
    from pipelines.serving.retirement import without_file

    missing = [problem for problem in without_file() if not chosen or problem.client in chosen]
    results.show_problems(missing)
    clients, problems = usable(chosen)
    return clients, problems + missing


def one(client: str, as_filed: bool = False) -> Client:
    """Return the chosen client, or end the command if its file cannot be used."""
    (chosen,), _ = usable([client], as_filed)
    return chosen


def end(is_wrong: object) -> None:
    """End the command with the exit status 1 if something is wrong."""
    if is_wrong:
        raise typer.Exit(1)


def stop(message: str) -> typer.Exit:
    """Print why the command ends here; return what ends it when it is raised."""
    screen.fail(message)
    return typer.Exit(1)


@contextmanager
def turn_or_stop(command: str) -> Iterator[None]:
    """Take the turn to change what is published, or stop and say who has it."""
    from pipelines.serving.turn import NotOurTurn, turn

    try:
        with turn(command):
            yield
    except NotOurTurn as error:
        raise stop(f"{error}: try again when it has ended") from None


def statuses_of(clients: list[Client]) -> "list[Status]":
    """Return the status of each source of the clients, as of now."""
    from pipelines.ingest.source_status import statuses

    return [status for client in clients for status in statuses(client)]
