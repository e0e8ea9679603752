"""Show an earlier version of a client's published files."""

from pipelines.ledger.recording import recorded
from pipelines.published.version_folders import alone, whole_versions
from pipelines.published.view_files import show


class NoSuchVersion(Exception):
    """A version that cannot be shown; the text names the client and those that can."""


def show_version(client: str, version: str) -> None:
    """Show a version of a client until a run publishes the next. Raise NoSuchVersion if it is not kept."""
    with recorded(client, "rollback") as run, alone(client):
        versions = whole_versions(client)
        if version not in versions:
            raise NoSuchVersion(
                f"{client}: there is no version {version} to show; there are {', '.join(versions) or 'none'}"
            )
        show(client, version)
        run.outcome, run.made = "shown", {"published": version}
