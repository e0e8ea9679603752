"""The command that makes everything of one client from its lake alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.commands import answers, results, screen
from pipelines.commands.chosen_clients import Chosen, end, one, stop

if TYPE_CHECKING:
    from pipelines.serving.rebuilding import Rebuilt
    from pipelines.serving.warehouse import Computed

_console = Console(stderr=True, highlight=False, soft_wrap=True)


def rebuild(client: Chosen) -> None:
    """Make everything of a client from its lake alone: staging, journeys, credit, published and settled files.

    It is for tables or files that are torn, missing, or not believed. What is rebuilt is the version in
    force, by the settings that were promoted; what models have learnt is kept, and nothing is trained.
    Other clients' tables and files are not touched. What is published stays until the new numbers have
    passed the gate. They should be the same; where they are not, it says what moved, as `make changes`
    does: report that. Ended at any time, run it again. The exit status is 1 if the client is held.
    Such as: `python -m pipelines rebuild acme`.
    """
    from pipelines.serving.rebuilding import rebuild as rebuilt
    from pipelines.serving.turn import NotOurTurn, turn
    from pipelines.settings.reader import ClientError

    chosen = one(client)
    try:
        with turn("make rebuild"), watched(client) as watch:
            done = rebuilt(chosen, screen.tell, watch)
    except NotOurTurn as error:
        raise stop(f"{error}: try again when it has ended") from None
    except ClientError as error:
        raise stop(f"{error}; or make promote CLIENT={client}, to go by its file") from None
    results.show_morning([done.report])
    _show_difference(client, done)
    end(done.report.result == "held")


@contextmanager
def watched(client: str) -> "Iterator[Callable[[Computed], None]]":
    """Yield what shows each model that is computed: a bar on a terminal, else a line for each layer."""
    with _bar(client) if _console.is_terminal else _lines() as watch:
        yield watch


@contextmanager
def _bar(client: str) -> "Iterator[Callable[[Computed], None]]":
    bar, count = BarColumn(), MofNCompleteColumn()
    columns = (TextColumn(client), bar, count, TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def advance(now: "Computed") -> None:
            progress.update(task, completed=now.done, total=now.total, description=now.model)

        yield advance


@contextmanager
def _lines() -> "Iterator[Callable[[Computed], None]]":
    told = set[str]()

    def line(now: "Computed") -> None:
        layer = now.model.partition(".")[0].replace("_", ": ", 1)
        if layer not in told:
            told.add(layer)
            moment = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}Z"
            screen.tell(f"{moment} {layer}, {now.done} of {now.total} models")

    yield line


def _show_difference(client: str, done: "Rebuilt") -> None:
    """Say by what the rebuilt numbers differ from those published before: they should not."""
    if done.report.result == "held":
        return
    if not done.before:
        screen.say(client, f"rebuilt as the version {done.after}; nothing was published before")
    elif not done.changes:
        screen.warn(
            client,
            f"rebuilt as the version {done.after}; that before, {done.before}, cannot be read, so nobody"
            " can tell whether numbers moved",
        )
    elif not done.changes.causes:
        screen.say(
            client,
            f"rebuilt as the version {done.after}: its numbers are those of {done.before}, to the cent",
        )
    else:
        screen.warn(
            client,
            f"the rebuilt numbers differ from those of {done.before}, which they should not unless the lake"
            " has newer loads, or lost some",
        )
        answers.show_moves(done.changes)
