"""The commands that read and change nothing: status, blueprint, export."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import results, screen, status_tables
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
from pipelines.commands.screen import Json
from pipelines.commands.warnings import warn_of_loads_ahead, warn_of_sharing, warn_of_versions


def status(
    client: Some = None,
    every_source: Annotated[
        bool, typer.Option("--all", help="Show each source, and what else there is to know of it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how each client stands: what is published, as of which load, and what waits and why.

    The exit status is 1 if a client is held, late or stale, if a source is not ok, if published files
    are older than the warehouse's tables, if `make stream` cannot follow a client, or if its settings
    file is gone, misnamed or wrong.
    """
    from pipelines.commands.client_states import state_of
    from pipelines.watch.ledger_mornings import mornings_of_clients

    clients, problems = usable_and_missing(client)
    now = datetime.now(timezone.utc)
    found, mornings = statuses_of(clients), mornings_of_clients(now)
    states = [
        state_of(each, [one for one in found if one.client == each.id], mornings, problems, now)
        for each in clients
    ]
    if as_json:
        status_tables.emit_states(states, found)
    else:
        status_tables.show_states(states)
        status_tables.show_statuses(found, every_source)
        if every_source:
            status_tables.show_disk(states)
    for state in states:
        for wait in state.waiting:
            if not wait.is_of_source:
                (screen.warn if wait.is_wrong else screen.say)(state.client, wait.what)
    warn_of_versions(clients)
    warn_of_sharing(clients)
    is_ahead = warn_of_loads_ahead(clients)
    is_lost = show_followed(clients)
    end(
        problems
        or is_ahead
        or is_lost
        or any(state.is_wrong for state in states)
        or any(status.code != "ok" for status in found)
    )


def blueprint(client: Chosen) -> None:
    """Print the variables that a client's SQL models are made of: meaning, readers, value."""
    from pipelines.blueprints.explained import explain

    results.show_paragraphs(explain(one(client, as_filed=True)))


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
