"""Say which versions were shown when, and through which of them numbers came to be as they are."""

from datetime import datetime, timezone
from itertools import pairwise
from typing import NamedTuple

from pipelines.published.version_folders import current, whole_versions, written_at
from pipelines.settings.client import Client


class GoneVersion(Exception):
    """A version that is not kept any more, or never was; the text says since when there are some."""


class Step(NamedTuple):
    """Two versions of which the second took the place of the first."""

    before: str
    after: str


def shown_at(client: Client, moment: datetime) -> str:
    """Return the version that was the newest at a UTC time. Raise GoneVersion if it is gone."""
    versions = whole_versions(client.id)
    if not versions:
        raise GoneVersion(f"{client.id}: nothing is published yet; run make daily")
    moment = moment.replace(tzinfo=timezone.utc)
    earlier = [version for version in versions if written_at(version) <= moment]
    if not earlier:
        keep = client.published_files
        raise GoneVersion(
            f"{client.id}: what was shown at {moment:%Y-%m-%d %H:%M} UTC is gone, or was never published:"
            f" the oldest version that is kept is of {written_at(versions[0]):%Y-%m-%d %H:%M:%S} UTC."
            f" published_files.keep_days: {keep.keep_days:g} in its file says how long a version stays"
        )
    return earlier[-1]


def steps(client: Client, since: datetime) -> list[Step]:
    """Return the steps from the version shown at a UTC time to the one shown now, the oldest first.

    None where it is the same one; where an older one is shown again, by a rollback, the one step back.
    """
    first, now = shown_at(client, since), current(client.id)
    if not now or now.version == first:
        return []
    if now.version < first:
        return [Step(first, now.version)]
    between = [each for each in whole_versions(client.id) if first <= each < now.version]
    return [Step(*pair) for pair in pairwise([*between, now.version])]
