"""Notice that a run has settled a client anew, at the cost of a look."""

from datetime import datetime, timezone

from pipelines.published.version_folders import settled_of, written_at


def newest_settled(client: str) -> str:
    """Return the name of a client's newest settled version; nothing before there is one."""
    try:
        names = [each.name for each in settled_of(client).iterdir()]
    except OSError:
        return ""
    return max((name for name in names if name.endswith("Z") and name[0] != "."), default="")


def settled_at(version: str) -> datetime:
    """Return when a version was written; the beginning of time if there is none."""
    return written_at(version) if version else datetime.min.replace(tzinfo=timezone.utc)
