"""Name the answers of a platform whose API is asked in a version that it no longer has."""

from collections.abc import Callable
from datetime import datetime, timezone

from requests import Response

from pipelines.settings.api_versions import remedy, warning
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.sources.errors import PlatformError

Named = Callable[[Response], PlatformError | None]


def version_expired(source: str, reason: str) -> PlatformError:
    """Return the error that a platform has ended the version that it was asked in."""
    return PlatformError("version_expired", f"{reason}; {remedy(source)}")


def or_no_version(source: str, version: str, named: Named) -> Named:
    """Return what names a platform's errors, and also that it has no page of the version at all.

    A version that ended long ago, or is still to come, is answered by 404 and a page in HTML.
    """

    def named_or_expired(response: Response) -> PlatformError | None:
        html = "html" in response.headers.get("Content-Type", "")
        if response.status_code == 404 and html:
            return version_expired(source, f"the platform answers 404, it has no version {version}")
        return named(response)

    return named_or_expired


def ending_versions(client: Client) -> list[str]:
    """Return a warning for each platform of a client whose API's version ends soon, or has ended."""
    today = datetime.now(timezone.utc).date()
    warnings = {
        source: warning(source, feed.version, today)
        for source, _, feed in client.sources.feeds()
        if isinstance(feed, Api)
    }
    return [f"{source}: {text}" for source, text in warnings.items() if text]
