"""Turn what went wrong with a source into its status, and keep what was refused."""

from datetime import datetime, timedelta, timezone

from pipelines.disk import disk_problem
from pipelines.ingest.refused_files import keep_refused
from pipelines.ingest.source_status import Status, moment, printable
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.errors import PlatformError


def status_of(client: Client, source: str, error: Exception) -> Status:
    """Return a source's status after an error: late, refused, or failed where the fault is ours.

    It concerns this source of this client, nobody else. A file that is refused is set aside.
    """
    if problem := disk_problem(error):
        return Status(client.id, source, "failed", printable(problem))
    if isinstance(error, PlatformError):
        return _late(client, source, error)
    if isinstance(error, ExportError):
        problem = f"{error}{_remedy(client, source, error)}"
        if error.file:
            problem += keep_refused(client, source, error.file, problem)
        return Status(client.id, source, "refused", printable(problem))
    cause: BaseException = error
    while cause.__cause__:
        cause = cause.__cause__
    problem = f"{type(cause).__name__}: {cause}; correct it and run it again"
    return Status(client.id, source, "failed", printable(problem))


def _remedy(client: Client, source: str, error: ExportError) -> str:
    """Return where the settings go that would read an export, ready to paste.

    What a platform's API answers has no such settings: it is asked again.
    """
    is_asked = any(isinstance(feed, Api) for feed in client.sources.of(source).values())
    places: dict[str, list[Remedy]] = {}
    for remedy in error.remedies:
        parts = ("sources", source, error.table, remedy.below)
        is_clients = not remedy.below and remedy.setting.partition(":")[0] in Client.model_fields
        if is_asked and not is_clients:
            continue
        place = "" if is_clients else ".".join(part for part in parts if part)
        places.setdefault(place, []).append(remedy)
    lines = [
        f"under {place}: {_pasted(found)}" if place else f"as a line of its own: {_pasted(found)}"
        for place, found in places.items()
    ]
    if not lines:
        return ". The platform's API answered so; the next run asks again" if is_asked else ""
    return f". To read it, write in clients/{client.id}.yaml {'; and '.join(lines)}"


def _pasted(remedies: list[Remedy]) -> str:
    """Return lines to paste; of several readings of a value, one is to be chosen."""
    lines = [
        f"`{remedy.setting}`" + f" if {remedy.meaning}" * bool(remedy.meaning)
        for remedy in remedies
    ]
    return (", or " if any(remedy.meaning for remedy in remedies) else ", ").join(lines)


def _late(client: Client, source: str, error: PlatformError) -> Status:
    after = error.retry_after
    at = datetime.now(timezone.utc) + timedelta(seconds=after) if after else None
    return Status(
        client.id, source, error.code, printable(str(error)), retry_at=moment(at) if at else ""
    )
