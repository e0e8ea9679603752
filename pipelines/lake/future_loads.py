"""Find loads that are dated ahead: the machine's clock was ahead when they were committed."""

from datetime import datetime, timezone

from pipelines.home import lake_folder
from pipelines.lake.loads import commit_times


def dated_ahead(client: str) -> dict[str, datetime]:
    """Return the sources whose newest load is dated in the future, with its time, UTC."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    folders = sorted(marks.parent for marks in (lake_folder() / client).glob("*/_dlt_loads"))
    newest = {
        folder.name: max(commit_times(str(folder)).values(), default=now) for folder in folders
    }
    return {source: moment for source, moment in newest.items() if moment > now}
