"""Remove versions that are no longer kept, and what a killed process left behind."""

import os
import shutil
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

from pipelines.home import published_folder
from pipelines.published.version_folders import (
    PublishedFileError,
    current,
    is_provisional,
    provisional_versions,
    settled_of,
    versions_of,
    view_file,
    whole_versions,
    written_at,
)
from pipelines.settings.kept_versions import PublishedFiles

_VERSIONS = "[0-9]*Z*"
# There may be a thousand a day, and each has the credit of all conversions.
_PROVISIONAL_STAY, _MOST_PROVISIONAL = timedelta(hours=1), 200


def clear_leftovers(client: str) -> None:
    """Remove what a killed process began to write or to remove. No other process writes meanwhile."""
    for folder in (settled_of(client), versions_of(client)):
        for unfinished in [*folder.glob(".*.new"), *folder.glob(".*.old")]:
            shutil.rmtree(unfinished, ignore_errors=True)
    for unfinished in published_folder().glob(f".{client}.duckdb.*.new*"):
        unfinished.unlink(missing_ok=True)
    with suppress(PublishedFileError):  # nobody knows which version is shown: all stay
        shown = current(client)
        kept = {*whole_versions(client), *provisional_versions(client)}
        kept |= {shown.version} if shown else set()
        for version in [*settled_of(client).glob(_VERSIONS), *versions_of(client).glob(_VERSIONS)]:
            if version.name not in kept:
                _remove(version)


def prune(client: str, keep: PublishedFiles) -> None:
    """Remove the versions that were replaced long enough ago, but for the newest and the one shown."""
    versions = whole_versions(client)
    until = datetime.now(timezone.utc) - timedelta(days=keep.keep_days)
    with suppress(PublishedFileError):
        shown = current(client)
        replaced = list(pairwise(versions))[: 1 - keep.keep_versions]
        for version, next_one in replaced:
            if written_at(next_one) <= until and not (shown and shown.version == version):
                _remove_version(client, version)


def prune_provisional(client: str) -> None:
    """Remove the provisional versions that were replaced an hour ago, or are too many.

    What is kept of the settled ones does not matter here.
    """
    until = datetime.now(timezone.utc) - _PROVISIONAL_STAY
    with suppress(PublishedFileError):
        shown = current(client)
        provisional = provisional_versions(client)
        too_many = set(provisional[:-_MOST_PROVISIONAL])
        for version, next_one in pairwise(sorted([*whole_versions(client), *provisional])):
            is_old = written_at(next_one) <= until or version in too_many
            if is_provisional(version) and is_old and not (shown and shown.version == version):
                _remove_version(client, version)


def remove_files(client: str) -> None:
    """Remove all files of a client that is retired, first the one that outsiders open."""
    view_file(client).unlink(missing_ok=True)
    for folder in (versions_of(client), settled_of(client)):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_version(client: str, version: str) -> None:
    _remove(settled_of(client) / version)
    _remove(versions_of(client) / version)


def _remove(folder: Path) -> None:
    """Remove a version's folder; one that is half removed has no version's name any more."""
    if folder.exists():
        hidden = folder.with_name(f".{folder.name}.old")
        os.replace(folder, hidden)
        shutil.rmtree(hidden, ignore_errors=True)
