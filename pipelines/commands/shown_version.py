"""The command that takes a promotion back, or shows an earlier version of what is published."""

from typing import Annotated

import typer

from pipelines.commands import screen
from pipelines.commands.chosen_clients import Chosen, one, stop, turn_or_stop
from pipelines.explaining.setting_changes import setting_changes
from pipelines.settings.client import Client
from pipelines.settings.reader import promoted_settings


def rollback(
    client: Chosen,
    version: Annotated[
        str | None, typer.Option(help="Show the files of this version only; nothing else changes.")
    ] = None,
) -> None:
    """Put the settings and models that were promoted before back in force, until `make promote`.

    What they published last is shown at once, and each morning goes on with them and the new data. The
    client's file stays as it is, and waits. Once more, and what was promoted before that is in force.

    With `--version`, the files of that version are shown until the next run publishes: nothing else
    changes. `published/CLIENT/` has the versions. Such as: `python -m pipelines rollback acme`.
    """
    chosen = one(client)
    if version:
        _show(client, version)
        return
    from pipelines.serving.rollback import FilesNotWritten, NoRollback, roll_back
    from pipelines.warehouse_files import WarehouseError

    before = promoted_settings(client) or chosen
    try:
        with turn_or_stop("make rollback"):
            done = roll_back(chosen)
    except NoRollback as error:
        raise stop(str(error)) from None
    except FilesNotWritten as error:
        raise stop(f"{client}: rolled back, but {error}") from None
    except WarehouseError as error:
        raise stop(f"{client}: not rolled back: {error}") from None
    _tell(before, done.settings)
    screen.say(
        client,
        f"rolled back to the settings and models of before the promotion of {done.until:%Y-%m-%d %H:%M} UTC;"
        f" published/{client}.duckdb shows what they published last",
    )
    screen.say(client, f"make daily adds what is new, by them, until make promote CLIENT={client}")
    further = (
        f"one more rollback leads further back, until {done.possible_until:%Y-%m-%d %H:%M} UTC"
        if done.possible_until
        else "nothing older is kept to go further back to"
    )
    screen.say(client, further)


def _tell(before: Client, now: Client) -> None:
    """Show which settings are others now, or that the code alone is."""
    changed = setting_changes(before, now)
    for each in changed:
        screen.tell_fact(now.id, str(each))
    if not changed:
        screen.say(now.id, "the settings are the same; the code is what is another one")


def _show(client: str, version: str) -> None:
    from pipelines.published.rolling_back import NoSuchVersion, show_version

    try:
        show_version(client, version)
    except NoSuchVersion as error:
        raise stop(str(error)) from None
    screen.say(
        client,
        f"published/{client}.duckdb shows the version {version} now, until the next run that publishes",
    )
