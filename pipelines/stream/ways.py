"""Say how each client's CRM is followed, by its file."""

from pipelines.settings.apis import SalesforceApi
from pipelines.settings.client import Client
from pipelines.settings.exports import Export

SOURCE = "salesforce"
BUS_IS_ALIVE = 300.0  # seconds; the event bus gives a sign of life within 270


def why_not(client: Client) -> str:
    """Return why a client is left to the morning; nothing if it is followed."""
    if not client.sources.salesforce:
        return "it has no CRM"
    if api := api_of(client):
        return "its file says `by: never`" if api.stream.by == "never" else ""
    if not watched_exports(client):
        return "its CRM is read from a bucket or a database"
    return ""


def way_called(client: Client) -> str:
    """Return what an operator calls the way in which a client is followed."""
    if not (api := api_of(client)):
        return "the files of its CRM"
    if api.stream.by == "polls":
        return f"a question every {api.stream.poll_minutes:g} minutes"
    return "change events"


def alive_within(client: Client) -> float:
    """Return the seconds in which a client that is followed gives a sign of life."""
    api = api_of(client)
    return max(BUS_IS_ALIVE, api.stream.poll_minutes * 60 if api else 0)


def api_of(client: Client) -> SalesforceApi | None:
    """Return how a client's CRM is asked; None if it is exported, or if there is none."""
    return client.sources.salesforce.api if client.sources.salesforce else None


def watched_exports(client: Client) -> list[Export]:
    """Return the exports of a client's CRM that are files of this machine."""
    feeds = client.sources.of(SOURCE).values()
    exports = [each for each in feeds if isinstance(each, Export)]
    return [each for each in exports if each.files and not each.in_bucket]
