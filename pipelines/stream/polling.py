"""Hear of changes by asking: one small question for changed deals, every few minutes."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from threading import Event

from dlt.sources.helpers.rest_client import RESTClient

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.platforms.salesforce_records import changed_since
from pipelines.sources.platforms.salesforce_rest import org_of, session_of
from pipelines.stream.notices import Notice

OVERLAP = timedelta(minutes=5)  # a change may be committed so much later than its stamp
MOMENT = timedelta(seconds=2)  # stamps are whole seconds: another change may have the same one
PATIENCE = timedelta(seconds=30)


class Polls:
    """Questions for one client's deals: at first for everything, then for ids and stamps alone.

    Each question begins five minutes before the one before it, as changes are committed late and
    several have one stamp; what it names that is known already is no news. Where there is news, all
    that changed is asked for, of every table, as the morning does it.
    """

    def __init__(self, client: str, api: SalesforceApi, seconds: float | None = None) -> None:
        self._client, self._api = client, api
        self._pause = api.stream.poll_minutes * 60 if seconds is None else seconds
        self._stopped = Event()

    def stop(self) -> None:
        """End the notices, also while one is waited for."""
        self._stopped.set()

    def notices(self) -> Iterator[Notice]:
        """Yield what changed. Raise PlatformError where the org does not answer."""
        org, now = self._signed_in()
        since = now - OVERLAP
        known = _old(changed_since(org, since), now)
        yield Notice([], is_everything=True)
        while not self._stopped.wait(self._pause):
            org, now = self._signed_in()
            changed = changed_since(org, since)
            yield Notice([], is_everything=bool(changed - known))
            known, since = _old(changed, now), now - OVERLAP

    def _signed_in(self) -> tuple[RESTClient, datetime]:
        """Return the org, and what time it is there: its clock may not be ours."""
        now = datetime.now(timezone.utc)
        session = session_of(self._client, self._api, now + PATIENCE)
        org = org_of(self._client, self._api, now + PATIENCE, session)
        return org, session.issued_at or now


def _old(changed: set[tuple[str, str]], now: datetime) -> set[tuple[str, str]]:
    """Return those changes whose stamp no further change can have."""
    return {(id_, stamp) for id_, stamp in changed if datetime.fromisoformat(stamp) < now - MOMENT}
