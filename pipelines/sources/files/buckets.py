"""Read an export's objects from a bucket: what is new or changed is downloaded, then read as a file."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Bucket, Export
from pipelines.sources.batches import Batch, ExportError, FetchRequest, Rows
from pipelines.sources.credentials import conceal, credentials
from pipelines.sources.errors import Code, PlatformError
from pipelines.sources.files import reading as files
from pipelines.sources.rest import patient

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

CHUNK = 8 << 20

Answer = TypeVar("Answer")


class Store(NamedTuple):
    """A bucket that is asked on behalf of a client: `path` is the glob of its objects."""

    system: "FileSystem"
    root: str
    path: str
    request: FetchRequest

    def ask(self, what: str, answer: Callable[[], Answer]) -> Answer:
        """Return the answer, after a while if it takes one. Raise PlatformError if there is none."""

        def once() -> Answer:
            try:
                return answer()
            except OSError as error:
                raise _platform_error(error, what) from None

        return patient(self.request.until)(once)


def batches(
    request: FetchRequest, source: str, table: str, export: Export, contract: Contract
) -> list[Batch]:
    """Return the objects that match as batches, each with its size and the time of its change for a fingerprint.

    Raise ExportError if there is none, PlatformError if the bucket does not answer.
    """
    store = _store(request, source, export)
    found = [
        info
        for info in store.ask(export.files, partial(_listed, store))
        if info.is_file and PurePosixPath("/", info.path).match(f"/{store.path}")
    ]
    if not found:
        raise ExportError(f"no object matches {export.files}; deliver it, or correct `files:`")
    return [_batch(store, info, table, export, contract) for info in sorted(found, key=_path)]


def _batch(store: Store, info: "FileInfo", table: str, export: Export, contract: Contract) -> Batch:
    name = store.root + info.path.partition("/")[2]
    folder = store.request.folder / hashlib.sha256(name.encode()).hexdigest()[:16]
    path = folder / PurePosixPath(info.path).name
    opening = partial(_opened, store, info, name, path, contract, export)
    return Batch(table, name, f"{info.size} bytes of {info.mtime_ns}", path, opening)


@contextmanager
def _opened(
    store: Store,
    info: "FileInfo",
    name: str,
    path: Path,
    contract: Contract,
    export: Export,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Rows]:
    path.parent.mkdir(exist_ok=True)
    store.ask(name, partial(_download, store, info, name, path))
    changed = path.stat().st_mtime_ns
    with files.opened(path, contract, export, changed, connection) as rows:
        yield rows
    path.unlink()  # a refused one stays, to be set aside


def _download(store: Store, info: "FileInfo", name: str, path: Path) -> None:
    from pyarrow.fs import FileType

    try:
        with store.system.open_input_stream(info.path) as remote, path.open("wb") as local:
            shutil.copyfileobj(remote, local, CHUNK)
    except OSError:  # of an object that vanished it may say anything
        if store.system.get_file_info(info.path).type == FileType.NotFound:
            raise FileNotFoundError(name) from None
        raise
    now = store.system.get_file_info(info.path)
    if (now.size, now.mtime_ns) != (info.size, info.mtime_ns):
        reason = f"{name} changed while it was read; the next run tries again"
        raise PlatformError("request_refused", reason)
    if path.stat().st_size != info.size:
        reason = f"{name}: {path.stat().st_size} of {info.size} bytes came"
        raise PlatformError("connection_cut", f"{reason}; the next run tries again", passes=True)


def _listed(store: Store) -> list["FileInfo"]:
    """Return what lies below the folder in which the glob begins."""
    from pyarrow.fs import FileSelector

    plain = re.match(r"[^*?\[]*/", store.path)[0]
    is_deep = "/" in store.path[len(plain) :]
    try:
        return store.system.get_file_info(FileSelector(plain.rstrip("/"), recursive=is_deep))
    except FileNotFoundError:
        return []


def _store(request: FetchRequest, source: str, export: Export) -> Store:
    """Return the bucket of an export, with its client's own keys, or the access that `bucket:` names."""
    bucket, url = export.bucket or Bucket(), urlsplit(export.files)
    scheme, _, path = export.files.partition("://")
    if scheme == "abfss":
        container, _, account = url.netloc.partition("@")
        path = container + path[len(url.netloc) :]
        system = _azure(request, source, bucket, account)
    elif scheme == "gs" and bucket.access == "ambient":
        from pyarrow.fs import GcsFileSystem

        system = GcsFileSystem()
    else:
        system = _s3(request, source, bucket, scheme)
    return Store(system, f"{scheme}://{url.netloc}/", path, request)


def _s3(request: FetchRequest, source: str, bucket: Bucket, scheme: str) -> "FileSystem":
    """Return S3, or what speaks it: Google's buckets do, with HMAC keys."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    keys = {"anonymous": True} if bucket.access == "anonymous" else {}
    if bucket.access == "keys":
        found = credentials(request.client.id, source, "access_key_id", "secret_access_key")
        keys = {"access_key": found["access_key_id"], "secret_key": found["secret_access_key"]}
    google = "https://storage.googleapis.com" if scheme == "gs" else None
    address = urlsplit(bucket.endpoint or google or "")
    return S3FileSystem(
        **keys,
        region=bucket.region,
        endpoint_override=address.netloc or None,
        scheme=address.scheme or "https",
        connect_timeout=10,
        request_timeout=60,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=1),  # patience is ours
    )


def _azure(request: FetchRequest, source: str, bucket: Bucket, account: str) -> "FileSystem":
    from pyarrow.fs import AzureFileSystem

    keys = {}
    if bucket.access == "keys":
        keys = credentials(request.client.id, source, "account_key")
    return AzureFileSystem(account.partition(".")[0], **keys)


# What the clouds' libraries report, in a text alone.
_ERRORS: list[tuple[str, Code, str, bool]] = [
    (
        "NO_SUCH_BUCKET|NoSuchBucket|ContainerNotFound",
        "unknown_account",
        "there is no such bucket; correct `files:`",
        False,
    ),
    (
        "ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN_ID|"
        "UNRECOGNIZED_CLIENT|ExpiredToken|InvalidToken|status 40[13]|PERMISSION_DENIED|"
        "UNAUTHENTICATED|AuthenticationFailed|AuthorizationFailure",
        "credentials_refused",
        "its keys are refused; correct them, or let them list and read",
        False,
    ),
    (
        "SLOW_DOWN|THROTTLING|REQUEST_LIMIT|status 429|RESOURCE_EXHAUSTED",
        "rate_limited",
        "too many requests; the next run tries again",
        True,
    ),
    (
        "NETWORK_CONNECTION|REQUEST_TIMEOUT|curl|CURL|UNAVAILABLE: Could not|connection",
        "connection_cut",
        "not reached, or cut off; the next run tries again",
        True,
    ),
    (
        "INTERNAL_FAILURE|SERVICE_UNAVAILABLE|status 5[0-9]{2}|UNAVAILABLE|InternalError|ServerBusy",
        "platform_down",
        "the platform fails; the next run tries again",
        True,
    ),
    (
        "XML_ERROR",
        "malformed_answer",
        "the answer is not readable; the next run tries again",
        True,
    ),
]


def _platform_error(error: OSError, what: str) -> PlatformError:
    if isinstance(error, FileNotFoundError):
        reason = f"{what} is gone since it was listed; the next run tries again"
        return PlatformError("request_refused", reason)
    for pattern, code, reason, passes in _ERRORS:
        if re.search(pattern, str(error)):
            return PlatformError(code, f"{what}: {reason}", passes=passes)
    line = " ".join(conceal(str(error)).split())[:300]
    return PlatformError("request_refused", f"{what}: {line}")


def _path(info: "FileInfo") -> str:
    return info.path
