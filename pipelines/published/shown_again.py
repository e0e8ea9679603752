"""Show an earlier version again, as a new one: it is the newest then, and what comes next stands on it."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from pipelines.published.old_versions import clear_leftovers
from pipelines.published.version_folders import (
    PublishedFileError,
    alone,
    current,
    described,
    make_private,
    manifest,
    manifest_file,
    next_version,
    settled_of,
    versions_of,
    whole_versions,
)
from pipelines.published.view_files import show
from pipelines.published.writing import unfinished_folder


def show_again(client: str, behind: frozenset[str]) -> str:
    """Show the last version again that was written from some tables of the warehouse; return its new name.

    Nothing is returned, and nothing done, where no such version is kept. Its files are linked: nothing
    is written but the names. Provisional credit goes with the models that gave it.
    """
    with alone(client):
        clear_leftovers(client)
        if not (earlier := _newest_of(client, behind)):
            return ""
        if _is_shown(client, earlier):
            return earlier
        version = next_version(client)
        with (
            unfinished_folder(make_private(client), version, mode=0o700) as settled,
            unfinished_folder(versions_of(client), version, mode=0o755) as published,
        ):
            _link(settled_of(client) / earlier, settled)
            _link(versions_of(client) / earlier, published)
            written = settled / manifest_file(client, version).name
            written.unlink()
            written.touch(mode=0o600)
            tables = manifest(client, earlier)
            written.write_text(described(tables, version, shown_again=earlier), encoding="utf-8")
        show(client, version)
        return version


def _is_shown(client: str, version: str) -> bool:
    """Return whether a version is the newest, and shown: a rollback that was ended is done again."""
    with suppress(PublishedFileError):
        shown = current(client)
        return bool(shown and shown.version == version == whole_versions(client)[-1])
    return False


def _newest_of(client: str, behind: frozenset[str]) -> str:
    for version in reversed(whole_versions(client)):
        with suppress(PublishedFileError):
            tables = manifest(client, version)["publish"].values()
            if {each["behind"] for each in tables} == behind:
                return version
    return ""


def _link(folder: Path, to: Path) -> None:
    for file in folder.iterdir():
        try:
            os.link(file, to / file.name)
        except OSError:  # the disk knows no hard links
            shutil.copy2(file, to / file.name)
