"""Say of which clients the published files are not what the warehouse has, without opening it."""

from contextlib import suppress

import duckdb

from pipelines.published.pending_tables import pending
from pipelines.published.version_folders import (
    LockedViewFile,
    PublishedFileError,
    current,
    manifest,
    versions_of,
    view_file,
)
from pipelines.published.view_files import show

_REMEDY = "run make daily, which writes them"


def why_behind(client: str) -> str:
    """Return why a published client's files are to be written anew, and the remedy; nothing if not."""
    name = f"published/{view_file(client).name}"
    try:
        if not (shown := current(client)):
            return f"{name} is not there: {_REMEDY}"
        if not shown.is_here(client):
            is_gone = not (versions_of(client) / shown.version).exists()
            what = "that are gone" if is_gone else f"in {shown.folder}, not in this home"
            return f"{name} shows files {what}: {_REMEDY}"
        tables = {each["behind"] for each in manifest(client, shown.version)["publish"].values()}
    except LockedViewFile:  # it is whole, and no hindrance
        return ""
    except PublishedFileError as error:
        return str(error)
    noted = pending(client)
    if noted.is_promoted or tables & {*noted.begun, *noted.done}:
        return (
            f"{name} is older than the tables in the warehouse, as a run is at work, was ended before"
            f" it wrote the files, or did not compute all of them: {_REMEDY} once it passes"
        )
    return ""


def follow_home(client: str) -> None:
    """Make a client's views anew where its files have moved: they name them by their full paths."""
    with suppress(PublishedFileError, OSError, duckdb.Error):  # `why_behind` tells what is wrong
        if (shown := current(client)) and not shown.is_here(client):
            show(client, shown.version)
