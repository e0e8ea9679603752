"""Take each client's mornings from the ledger of runs."""

from datetime import datetime

from pipelines.watch.mornings import Morning


def mornings_of_clients(now: datetime) -> dict[str, list[Morning]]:
    """Return the mornings of each client that the ledger has, the oldest first."""
    return {}
