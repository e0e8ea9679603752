"""Turn what went wrong with a source into its status, and keep what was refused."""

from datetime import datetime, timedelta, timezone

from pipelines.disk import disk_problem
from pipelines.ingest.refused_files import keep_refused
from pipelines.ingest.remedies import is_clients_own, to_paste
from pipelines.ingest.source_status import Status, moment, printable
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError
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
    """Return the settings that would read an export, ready to paste.

    What a platform's API answers has no such settings: it is asked again.
    """
    is_asked = any(isinstance(feed, Api) for feed in client.sources.of(source).values())
    remedies = [each for each in error.remedies if not is_asked or is_clients_own(each)]
    if lines := to_paste(client.id, remedies, source, error.table):
        return f". To read it, {lines}"
    return ". The platform's API answered so; the next run asks again" if is_asked else ""


def _late(client: Client, source: str, error: PlatformError) -> Status:
    after = error.retry_after
    at = datetime.now(timezone.utc) + timedelta(seconds=after) if after else None
    problem = printable(f"{error}{_place(client, source, error)}")
    return Status(client.id, source, error.code, problem, retry_at=moment(at) if at else "")


def _place(client: Client, source: str, error: PlatformError) -> str:
    """Return where a client has what a platform's API does not take: its secrets, or its accounts."""
    if not any(isinstance(feed, Api) for feed in client.sources.of(source).values()):
        return ""
    if error.code in ("credentials_expired", "credentials_refused", "consent_revoked"):
        variables = f"CLIENTS__{client.id}__{source}__".upper()
        return (
            f". Its secrets are the variables {variables}*, or [clients.{client.id}.{source}] in"
            " .dlt/secrets.toml"
        )
    if error.code in ("unknown_account", "request_refused", "version_expired"):
        return f". Its settings are under sources.{source}.api in clients/{client.id}.yaml"
    return ""
