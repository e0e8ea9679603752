"""The commands that read and change nothing: status, blueprint, export."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import results, screen
from pipelines.commands.chosen_clients import (
    Chosen,
    Some,
    end,
    one,
    statuses_of,
    stop,
    usable_and_missing,
)
from pipelines.commands.following import show_followed
from pipelines.commands.warnings import warn_of_loads_ahead, warn_of_sharing, warn_of_versions


def status(client: Some = None) -> None:
    """Show the status of each source of each client, as of its last ingest, and who is held.

    The exit status is 1 if any is not ok, if a client was held by its last morning, if its published
    files are older than the warehouse's tables, if `make stream` cannot follow it, or if its settings
    file is gone, misnamed or wrong.
    """
    from pipelines.serving.memory import files_behind, held_for

    clients, problems = usable_and_missing(client)
    found = statuses_of(clients)
    results.show_statuses(found)
    warn_of_versions(clients)
    warn_of_sharing(clients)
    is_ahead = warn_of_loads_ahead(clients)
    explained = {status.client for status in found if status.holds}
    held = [
        (client.id, reason)
        for client in clients
        for reason in held_for(client)
        if client.id not in explained
    ]
    for name, reason in held:
        screen.warn(name, f"held by its last morning: {reason}")
    behind = [(client.id, why) for client in clients if (why := files_behind(client))]
    for name, why in behind:
        screen.warn(name, why)
    is_lost = show_followed(clients)
    end(
        problems
        or is_ahead
        or held
        or behind
        or is_lost
        or any(status.code != "ok" for status in found)
    )


def blueprint(client: Chosen) -> None:
    """Print the variables that a client's SQL models are made of: meaning, readers, value."""
    from pipelines.blueprints.explained import explain

    results.show_paragraphs(explain(one(client)))


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

    chosen = one(client)
    days = Days(since and since.date(), until and until.date())
    target = to or Path(f"{client}-{table}.csv")
    try:
        count = write(chosen, table, days, target)
    except ReportError as error:
        raise stop(str(error)) from None
    screen.say(client, f"{count} rows of {table} in {target}")
