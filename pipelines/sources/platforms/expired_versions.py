"""Name the answers of a platform whose API is asked in a version that it no longer has."""

import re
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


def other_version(source: str, asked: str, answer: Response) -> str:
    """Return a warning where a platform answers in another version than it was asked, or warns of it.

    Facebook raises a version that has ended to the oldest one that it still has, without an error.
    """
    answered = answer.headers.get("facebook-api-version", "")
    is_other = bool(_parts(answered)) and _parts(answered) != _parts(asked)
    told = " ".join(answer.headers.get("x-ad-api-version-warning", "").split())[:300]
    if not is_other and not told:
        return ""
    answers = f"version {asked} of the API is asked, and answered in {answered or asked}"
    says = f"; the platform says: {told}" if told else ""
    use = remedy(source, answered) if is_other else remedy(source)
    return f"{answers}{says}: {use}, and compare the numbers of the days before"


def _parts(version: str) -> list[int]:
    """Return the numbers of a version, v27 as v27.0; nothing of what is no version."""
    found = re.fullmatch(r"v(\d+)(?:[.](\d+))?", version.strip())
    return [int(part or 0) for part in found.groups()] if found else []


def ending_versions(client: Client) -> list[str]:
    """Return a warning for each platform of a client whose API's version ends soon, or has ended."""
    today = datetime.now(timezone.utc).date()
    warnings = {
        source: warning(source, feed.version, today)
        for source, _, feed in client.sources.feeds()
        if isinstance(feed, Api)
    }
    return [f"{source}: {text}" for source, text in warnings.items() if text]
