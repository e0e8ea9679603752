"""The command of the watch, which judges every client beside the runs and alerts by name."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands import screen
from pipelines.commands.chosen_clients import Some, end, usable_and_missing


def watch(
    client: Some = None,
    metrics: Annotated[
        Path | None,
        typer.Option(help="The file for Prometheus; watch/attribution.prom, if left out."),
    ] = None,
) -> None:
    """Find who is at risk, late, held or odd, and alert each client's channels and the on-call once.

    It reads the ledger, the sources' statuses and the published files: it waits for no run. The exit
    status is 1 if an alert reached nobody, a channel or a health check did not take what it was sent,
    or a client cannot be judged; what was found is told, and is no reason.
    """
    from pipelines.serving.disk_use import disk
    from pipelines.watch.alert_state import watch_folder
    from pipelines.watch.ledger_mornings import mornings_of_clients
    from pipelines.watch.metrics import write_metrics
    from pipelines.watch.watch_round import Watch

    clients, problems = usable_and_missing(client)
    now = datetime.now(timezone.utc)
    watched, room = Watch(mornings_of_clients(now), now), disk()
    done = list(watched.over(clients, problems))
    count = len(done)
    if not client:
        done.append(watched.disk(room))
    for each in done:
        for finding in each.findings:
            if finding.is_note:
                screen.say(each.client, f"{finding.source}: {finding.what}")
            else:
                screen.warn(each.client, f"{finding.title}: {finding.what}\n  {finding.remedy}")
        for line in each.told:
            screen.say(each.client, f"told {line}")
        for line in each.failed:
            screen.warn(each.client, line)
    if not any(each.findings or each.failed for each in done):
        screen.screen.print(f"Watched {count} clients: nothing is wrong")
    if not client:
        judged = [(each.facts, each.findings) for each in done if each.facts]
        write_metrics(metrics or watch_folder() / "attribution.prom", judged, room, now)
    end(any(each.failed for each in done))
