"""Notice that what kept credit from being published may be remedied, at the cost of a look."""

from pathlib import Path

from pipelines.home import lake_folder
from pipelines.published.version_folders import view_file


def standing(client: str) -> tuple[int, ...]:
    """Return when it was written which version of a client is shown, and how each source stands.

    It changes with a run, `make rollback`, and a `make ingest` of files that were refused before.
    """
    files = [view_file(client), *sorted((lake_folder() / client).glob("[a-z]*/status.json"))]
    return tuple(map(_written, files))


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
