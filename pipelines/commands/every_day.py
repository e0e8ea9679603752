"""The commands of every day: ingest what clients deliver, and serve their mornings."""

from pipelines.commands import bars, progress, results, screen
from pipelines.commands.chosen_clients import Some, end, statuses_of, usable_and_missing
from pipelines.commands.screen import Json
from pipelines.commands.warnings import warn_of_loads_ahead, warn_of_sharing, warn_of_versions


def daily(client: Some = None, as_json: Json = False) -> None:
    """Ingest, run `daily`, audit, promote each client that passes, and say what is published.

    The client whose deadline comes first goes first, and is published as soon as it passes. Ended at
    any time, it goes on where it was when it is started again. Once a day, when everybody is served, it
    merges small files and removes what has come of age.

    The exit status is 1 if a client is held, which keeps what it had, if a source is stale or its
    loads are dated ahead, or if the file of a client is gone, misnamed or wrong. For one client:
    `python -m pipelines daily --client acme`.
    """
    from pipelines.learning.training import utc_now
    from pipelines.ledger.view_file import write_view_file
    from pipelines.serving.erased_persons import keep_promises
    from pipelines.serving.housekeeping import keep_house
    from pipelines.serving.morning import morning
    from pipelines.serving.turn import DAILY, NotOurTurn, turn

    clients, problems = usable_and_missing(client)
    try:
        with turn(DAILY, screen.tell):
            for line in keep_promises(clients, utc_now()):
                screen.tell(line)
            outcomes, reports = progress.watched(morning(clients), len(clients), as_json)
            write_view_file()
    except NotOurTurn as error:
        screen.tell(f"{error}: it serves the morning, this command leaves it to that one")
        return
    if not as_json:
        results.show_ingest(outcomes)
        results.show_morning(reports, outcomes)
    warn_of_versions(clients)
    warn_of_sharing(clients)
    is_ahead = warn_of_loads_ahead(clients)
    results.show_kept(keep_house(clients))
    is_held = any(report.result == "held" for report in reports)
    end(
        problems
        or is_held
        or is_ahead
        or any(status.code == "stale" for status in statuses_of(clients))
    )


def ingest(client: Some = None, as_json: Json = False) -> None:
    """Append what is new in every client's exports to the lake.

    A refused export halts its client alone, until it is delivered again: the gate holds the
    client's published tables. So the exit status is 0 as long as the others were served.
    """
    from pipelines.ingest import run

    clients, _ = usable_and_missing(client)
    done = bars.counted("Ingest", run.ingest(clients), len(clients))
    if as_json:
        for outcomes in done:
            for outcome in outcomes:
                progress.emit_outcome(outcome)
    else:
        results.show_ingest([outcome for outcomes in done for outcome in outcomes])
    warn_of_sharing(clients)
