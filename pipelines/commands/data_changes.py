"""The commands that change what a client's lake holds, beside the ingest of every day."""

import os
from datetime import datetime
from typing import Annotated

import typer

from pipelines.commands import bars, results, screen
from pipelines.commands.chosen_clients import Chosen, end, one, stop


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

    chosen = one(client)
    if not (sources := platforms(chosen)):
        raise stop(
            f"{client} has no source with `api:` in its file; exports are read whole by make ingest"
        )
    os.nice(10)  # mornings go first
    slices = {
        source: list(bars.filled(source, load_history(chosen, source, since.date())))
        for source in sources
    }
    results.show_backfill(client, slices)
    end(any(each.problem for loaded in slices.values() for each in loaded))


def accept(
    client: Chosen,
    source: Annotated[str, typer.Option(help="The source that is held: salesforce.")],
) -> None:
    """Confirm that a held full export lacks what is really gone; the next `make daily` takes it.

    So is a file confirmed whose keys differ from known ones in capitals or leading zeros alone, and
    are others. It shows what will be deleted. The word is bound to that delivery and to what is known before it:
    another file asks again. Such as: `python -m pipelines accept acme --source salesforce`.
    """
    from pipelines.ingest import acceptance
    from pipelines.ledger.recording import recorded

    chosen = one(client)
    waiting = acceptance.waiting_of(chosen.id, source)
    if not waiting:
        raise stop(
            f"{client}: nothing of {source} waits to be accepted; make status shows what is held"
        )
    results.show_waiting(waiting)
    with recorded(chosen.id, "accept", source) as run:
        for each in waiting:
            acceptance.accept(chosen.id, source, each)
        run.outcome, run.rows = "accepted", sum(each.deleted for each in waiting)
    what = "deletes them" if any(each.deleted for each in waiting) else "takes it"
    screen.say(client, f"accepted; the next make daily {what}")


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

    chosen = one(client)
    if source not in (sources := sorted({name for name, _, _ in chosen.sources.feeds()})):
        raise stop(f"{client} has no source {source}; it has {', '.join(sources)}")
    if platform_of(chosen, source):
        raise stop(
            f"{client}: {source} is asked by its API and has no files to read again. Each run asks for"
            " the newest days again (restate_days), or for what changed; for days that were never asked"
            f" for: make backfill CLIENT={client} SINCE=2026-01-01"
        )
    outcome = ingest_source(chosen, source, is_asked=True)
    results.show_ingest([outcome])
    end(outcome.problem)


def withdraw(
    client: Chosen,
    load: Annotated[str, typer.Option(help="The load's id, as `make explain` shows it.")],
) -> None:
    """Take a bad load back, by a new entry in the log; the next `make daily` publishes without it.

    What the load brought anew is deleted, what it changed is as it was before, what a later load has
    brought since stays. Its files may be delivered again, also unchanged. One that still lies where it was
    read from is to be moved away first, or replaced by the right one: the next ingest would load it again.
    Such as: `python -m pipelines withdraw acme --load 1795782411.8744965`.
    """
    from pipelines.ingest.withdrawal import WithdrawalError
    from pipelines.ingest.withdrawal import withdraw as take_back

    chosen = one(client)
    try:
        found = take_back(chosen.id, load)
    except WithdrawalError as error:
        raise stop(str(error)) from None
    results.show_withdrawn(found)
    screen.say(client, f"the load {load} is taken back; the next make daily publishes without it")
