"""Choose the adapter of a client that is followed."""

from pipelines.settings.client import Client
from pipelines.stream.events_or_polls import EventsOrPolls
from pipelines.stream.notices import Adapter
from pipelines.stream.polling import Polls
from pipelines.stream.watched_folder import WatchedFolder
from pipelines.stream.ways import api_of, watched_exports


def adapter_of(client: Client) -> Adapter:
    """Return what tells of changes in a client's CRM."""
    if not (api := api_of(client)):
        return WatchedFolder([export.pattern for export in watched_exports(client)])
    if api.stream.by == "polls":
        return Polls(client.id, api)
    return EventsOrPolls(client.id, api)
