"""Publish the credit of what changed since a client's last settled run, in minutes instead of with the next run."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import duckdb

from pipelines.contracts.ad_platforms import is_ad_platform
from pipelines.disk import disk_problem
from pipelines.fastpath.computing import FastPathError, provisional
from pipelines.fastpath.settled_otherwise import settled_otherwise
from pipelines.home import lake_folder
from pipelines.ihc.asking_bounds import Bounds
from pipelines.lake.kept_status import kept_status
from pipelines.published.old_versions import clear_leftovers
from pipelines.published.provisional_files import write_provisional
from pipelines.published.version_folders import (
    Current,
    PublishedFileError,
    alone,
    base_of,
    current,
    is_provisional,
    settled_beneath,
    whole_versions,
)
from pipelines.published.view_files import show
from pipelines.settings.client import Client

# The IHC service is asked for five seconds, and up to half of the month's requests: the others stay for
# the runs, which would be held without.
_IHC = Bounds(minutes=5 / 60, quota=0.5)


class Published(NamedTuple):
    """What became of a client's provisional credit."""

    client: str
    version: str | None  # the version that is shown from now on; None if nothing changed
    conversions: int  # whose numbers are not as the last run settled them
    problems: tuple[str, ...]  # why what was shown stays, such as audits that fail, with the client
    replaced: int = 0  # conversions that a run has settled otherwise than they were shown


def publish_provisional(client: Client) -> Published | None:
    """Publish what changed of a client since its last settled run; None before there is one.

    The same loads give the same version, so whoever was killed calls it again. It takes the lock of the
    client's files and no other, and opens no warehouse. A problem leaves what is shown.
    """
    return publish_changes(client.id)


def publish_changes(client: str, read_before: datetime | None = None) -> Published | None:
    """Do the same for a client by its name, as after a run that settled some of what is shown.

    Such a run may have `read` all loads that are seen `before` a moment.
    """
    try:
        with alone(client):
            clear_leftovers(client)
            shown = current(client)
            return _publish(client, shown, read_before) if shown else None
    except (PublishedFileError, OSError, duckdb.Error) as error:
        return _kept(client, disk_problem(error) or " ".join(str(error).split()))


def _publish(client: str, shown: Current, read_before: datetime | None) -> Published:
    settled = settled_beneath(client, shown.version)
    newest = max(whole_versions(client), default="")
    if newest > settled:
        return _kept(client, _ROLLED_BACK.format(client=client, version=settled, newest=newest))
    is_older = base_of(client, shown.version) != settled  # a run has settled newer numbers
    problems, count, replaced = tuple(_halted(client)), 0, 0
    try:
        if not problems:
            with provisional(client, ihc_bounds=_IHC, read_before=read_before) as new:
                assert new  # a version is shown
                problems, count = new.failures, new.conversions
                replaced = settled_otherwise(new, shown.version) if is_older else 0
                if count and not problems:
                    version = write_provisional(new.connection, client, settled)
                    return Published(client, version, count, (), replaced)
    except FastPathError as error:
        problems = (str(error).removeprefix(f"{client}: "),)
    if is_provisional(shown.version) and (is_older or not problems):
        show(client, settled)
        return Published(client, settled, 0, _named(client, problems), replaced)
    return Published(client, None, count, _named(client, problems))


def _halted(client: str) -> list[str]:
    """Return why, if a source is halted that credit is computed from; what was spent is of the last run anyway."""
    found = []
    for file in sorted((lake_folder() / client).glob("[a-z]*/status.json")):
        try:
            status = kept_status(file)
        except ValueError as error:
            found.append(str(error))
            continue
        is_halted = status["code"] in ("refused", "failed")
        if is_halted and not is_ad_platform(status["source"]):
            found.append(f"{status['source']}: {status['problem']}")
    return found


def _kept(client: str, problem: str) -> Published:
    return Published(client, None, 0, _named(client, [problem]))


def _named(client: str, problems: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{client}: {problem}" for problem in problems)


_ROLLED_BACK = (
    "published/{client}.duckdb shows the version {version}, and there is a newer one: credit of newer"
    " deals waits for the next run that publishes, or for make rollback CLIENT={client} VERSION={newest}"
)
