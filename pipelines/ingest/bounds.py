"""Bound the ingest of a source: what takes more than its client allows is ended, and said."""

from datetime import datetime, timedelta, timezone

from pipelines.ingest.remedies import to_paste
from pipelines.ingest.source_status import Status
from pipelines.lake.append import clear
from pipelines.processes import Bounds, Exceeded
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.limits import MOST_MINUTES
from pipelines.sources.batches import Remedy
from pipelines.sources.errors import PlatformError

_LEAST = timedelta(minutes=2)  # of a morning that begins just before the deadline


def bounds(client: Client) -> Bounds:
    """Return what the ingest of a source may take, if it begins now."""
    return Bounds(_time(client).total_seconds(), client.limits.memory_mb)


def stop_asking_at(client: Client) -> datetime:
    """Return when a platform is asked for no more, so that what it answered can be brought in."""
    return datetime.now(timezone.utc) + _time(client) * 0.8


def no_time_left(source: str) -> PlatformError:
    """Return the error of a platform that has not answered everything by then."""
    reason = f"{source} did not answer everything in its time; the next run asks for the rest"
    return PlatformError("platform_down", reason)


def exceeded(client: Client, source: str, bound: Exceeded) -> Status:
    """Return the status of a source that was ended, and clear away what its ingest left.

    A bucket, a database or a platform is late, as if it had not answered; a file holds its client.
    """
    clear(client.id, source)
    code = "platform_down" if _is_remote(client, source) else "failed"
    return Status(client.id, source, code, f"{source} {_said(client, bound)}")


def _said(client: Client, bound: Exceeded) -> str:
    if bound is Exceeded.MEMORY:
        more = Remedy(f"memory_mb: {2 * client.limits.memory_mb}", below="limits")
        return (
            f"took more than {client.limits.memory_mb} MB of memory: deliver smaller files or values,"
            f" or {to_paste(client.id, [more])}"
        )
    minutes = client.limits.minutes
    said = f"did not end within {minutes:g} minutes or by {client.deadline}"
    if minutes >= MOST_MINUTES:
        return f"{said}: see that it ends, or deliver less"
    longer = Remedy(f"minutes: {min(2 * minutes, MOST_MINUTES):g}", below="limits")
    return (
        f"{said}: if it is a view or a query, see that it ends; if it is large, begin earlier or"
        f" {to_paste(client.id, [longer])}"
    )


def _time(client: Client) -> timedelta:
    now = datetime.now(timezone.utc)
    until_deadline = max(client.deadline_after(now) - now, _LEAST)
    return min(timedelta(minutes=client.limits.minutes), until_deadline)


def _is_remote(client: Client, source: str) -> bool:
    feeds = client.sources.of(source).values()
    return any(isinstance(feed, Api) or feed.postgres or feed.in_bucket for feed in feeds)
