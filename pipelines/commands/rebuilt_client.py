"""The command that makes everything of one client from its lake alone."""

from typing import TYPE_CHECKING

from pipelines.commands import answers, results, screen
from pipelines.commands.chosen_clients import Chosen, end, one, stop
from pipelines.commands.model_progress import watched

if TYPE_CHECKING:
    from pipelines.serving.rebuilding import Rebuilt


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
