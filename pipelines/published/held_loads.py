"""Tell the loads that published numbers hold from those that came since, and wait for a run."""

from datetime import datetime, timezone
from typing import NamedTuple

from pipelines.home import lake_folder
from pipelines.lake.loads import committed_loads, seen_from
from pipelines.published.opening import published
from pipelines.settings.client import Client


class Loads(NamedTuple):
    """A client's loads, by source: the newest that is published, and how many are newer.

    `until` is when the newest published row was committed, UTC; None where nothing is published.
    """

    until: datetime | None = None
    published: dict[str, str] = {}
    waiting: dict[str, int] = {}

    @property
    def said(self) -> str:
        """Return how many wait, of which sources; nothing if none does."""
        if not (count := sum(self.waiting.values())):
            return ""
        by_source = ", ".join(f"{source} {number}" for source, number in self.waiting.items())
        return f"{'1 load is' if count == 1 else f'{count} loads are'} newer than what is published ({by_source})"


def held_loads(client: Client) -> Loads:
    """Return which loads of a client's sources are published. Raise PublishedFileError if that cannot be read.

    A load that is dated ahead is none of them: no run takes it yet.
    """
    with published(client.id) as opened:
        query = f"SELECT loaded_until FROM {client.id}_publish.freshness_v1"
        row = opened.execute(query).fetchone() if opened else None
    if not row or not row[0]:
        return Loads()
    found, now = Loads(row[0], {}, {}), seen_from(datetime.now(timezone.utc).replace(tzinfo=None))
    for source in sorted({source for source, _, _ in client.sources.feeds()}):
        loads = committed_loads(str(lake_folder() / client.id / source))
        seen = {name: at for name, at in loads.items() if at <= now}
        if there := [name for name, at in seen.items() if at <= row[0]]:
            found.published[source] = there[-1]
        if newer := len(seen) - len(there):
            found.waiting[source] = newer
    return found
