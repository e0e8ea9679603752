"""The command that shows an earlier version of what is published."""

from typing import Annotated

import typer

from pipelines.commands import screen
from pipelines.commands.chosen_clients import Chosen, one, stop


def rollback(
    client: Chosen,
    version: Annotated[
        str | None, typer.Option(help="The version; the one before that shown, if left out.")
    ] = None,
) -> None:
    """Show an earlier version of a client's published files; the next run that publishes replaces it.

    The warehouse and the client's file stay as they are. `published/CLIENT/` has the versions. Such
    as: `python -m pipelines rollback acme`.
    """
    from pipelines.published.rolling_back import RollbackError, roll_back

    chosen = one(client)
    try:
        shown = roll_back(chosen.id, version)
    except RollbackError as error:
        raise stop(str(error)) from None
    screen.say(client, f"published/{client}.duckdb shows the version {shown} now")
