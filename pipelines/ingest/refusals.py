"""Turn what went wrong with a source into its status, and keep what was refused."""

from datetime import datetime, timedelta, timezone

from pipelines.ingest.refused_files import keep_refused
from pipelines.ingest.source_status import Status, moment, printable
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError
from pipelines.sources.errors import PlatformError


def status_of(client: Client, source: str, error: Exception) -> Status:
    """Return a source's status after an error: late, refused, or failed where the fault is ours.

    It concerns this source of this client, nobody else. A file that is refused is set aside.
    """
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
    """Return where the setting goes that would read an export, ready to paste."""
    if not error.setting:
        return ""
    place = ".".join(each for each in ("sources", source, error.table) if each)
    is_clients = error.setting.partition(":")[0] in Client.model_fields
    where = "as a line of its own" if is_clients else f"under {place}"
    return f". To read it, write in clients/{client.id}.yaml {where}: `{error.setting}`"


def _late(client: Client, source: str, error: PlatformError) -> Status:
    after = error.retry_after
    at = datetime.now(timezone.utc) + timedelta(seconds=after) if after else None
    return Status(
        client.id, source, error.code, printable(str(error)), retry_at=moment(at) if at else ""
    )
