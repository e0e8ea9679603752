"""Say how far a client's lake goes: the newest committed load of each source."""

from pipelines.home import lake_folder
from pipelines.lake.loads import commit_times


def newest_loads(client: str) -> dict[str, str]:
    """Return the id of the newest load of each source of a client."""
    folders = sorted(marks.parent for marks in (lake_folder() / client).glob("*/_dlt_loads"))
    loads = {folder.name: list(commit_times(str(folder))) for folder in folders}
    return {source: ids[-1] for source, ids in loads.items() if ids}
