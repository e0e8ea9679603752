"""Take each client's mornings from the ledger of runs."""

from datetime import datetime, timedelta, timezone

from pipelines.ledger.runs import Recorded, runs
from pipelines.watch.mornings import Morning

DAYS = 40  # that are read: twenty mornings, also where none is served at weekends


def mornings_of_clients(now: datetime) -> dict[str, list[Morning]]:
    """Return the mornings of each client that the ledger has, the oldest first.

    A morning is a client's `daily`; its ingest has ended, and its turn has come, as its `compute` starts.
    """
    recorded = runs(steps=("daily", "compute"), since=now - timedelta(days=DAYS))
    ingested: dict[str, datetime] = {}
    for run in recorded:
        if run.step == "compute" and run.within:
            ingested.setdefault(run.within, _utc(run.started_at))
    found: dict[str, list[Morning]] = {}
    for run in recorded:
        if run.step == "daily":
            found.setdefault(run.client, []).append(_morning(run, ingested.get(run.run_id)))
    return found


def _morning(run: Recorded, ingested: datetime | None) -> Morning:
    """Return a run as a morning; one that was cut off has ended, and nobody knows when."""
    began = _utc(run.started_at)
    ended = _utc(run.ended_at) if run.ended_at else None
    if run.outcome == "running":
        return Morning(began, ingested)
    return Morning(began, ingested, ended or began, run.outcome)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc)
