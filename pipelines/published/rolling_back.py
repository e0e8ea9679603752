"""Show an earlier version of a client's published files."""

from pipelines.ledger.recording import recorded
from pipelines.published.version_folders import (
    PublishedFileError,
    alone,
    current,
    settled_beneath,
    view_file,
    whole_versions,
)
from pipelines.published.view_files import show


class RollbackError(Exception):
    """A version that cannot be shown; the text names the client and those that can."""


def roll_back(client: str, version: str | None) -> str:
    """Show a version, or the one before that shown; return its name. Raise RollbackError if it cannot be."""
    with recorded(client, "rollback") as run, alone(client):
        versions = whole_versions(client)
        wanted = version or _before(client, versions)
        if wanted not in versions:
            raise RollbackError(
                f"{client}: there is no version {wanted} to show; there are {', '.join(versions) or 'none'}"
            )
        show(client, wanted)
        run.made = {"published": wanted}
        return wanted


def _before(client: str, versions: list[str]) -> str:
    try:
        shown = current(client)
        settled = settled_beneath(client, shown.version) if shown else ""
    except PublishedFileError as error:
        raise RollbackError(f"{client}: {error}; or name one of {', '.join(versions)}") from None
    # Of a provisional version, that before the settled one beneath: on that, the same credit would follow.
    earlier = [each for each in versions if each < settled]
    if not earlier:
        raise RollbackError(
            f"{client}: no version is kept from before the one that published/{view_file(client).name}"
            " shows; published_files: in its file says how long they stay"
        )
    return earlier[-1]
