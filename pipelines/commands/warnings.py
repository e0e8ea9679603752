"""Warn of what a command found beside its task: it holds nobody today."""

from pipelines.commands import screen
from pipelines.settings.client import Client


def warn_of_versions(clients: list[Client]) -> None:
    """Show which platforms are asked in a version of their API that ends soon, or has ended."""
    from pipelines.sources.platforms.expired_versions import ending_versions

    for client in clients:
        for warning in ending_versions(client):
            screen.warn(client.id, warning)


def warn_of_sharing(clients: list[Client]) -> None:
    """Show which clients read from one place, or deliver one content."""
    from pipelines.ingest.sharing import shared

    for client, what in shared(clients):
        screen.warn(client, what)


def warn_of_loads_ahead(clients: list[Client]) -> bool:
    """Show loads that are dated in the future, which no run takes yet; return whether there are any."""
    from pipelines.lake.future_loads import dated_ahead

    ahead = [(client, found) for client in clients if (found := dated_ahead(client.id))]
    for client, sources in ahead:
        for source, moment in sources.items():
            screen.warn(
                client.id,
                f"{source}: its newest load is dated {moment:%Y-%m-%d %H:%M} UTC, in the future, as the machine's"
                " clock was ahead; runs take it from then on, docs/operations.md says how to take it now",
            )
    return bool(ahead)


def tell_of_rereads(client: Client) -> None:
    """Show which exports are read otherwise by the client's file than they were."""
    from pipelines.ingest.readings import to_be_read_again

    for changed in to_be_read_again(client):
        screen.say(
            client.id,
            f"{changed} is read otherwise now: the next make ingest or make daily reads its files again, and"
            " what is published follows without a promotion",
        )
