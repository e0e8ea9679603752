"""Open a bucket on behalf of a client, whichever cloud has it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pipelines.settings.export_places import Bucket
from pipelines.settings.exports import Export
from pipelines.sources.batches import FetchRequest
from pipelines.sources.credentials import credentials
from pipelines.sources.files.bucket_errors import Access, platform_error
from pipelines.sources.rest import patient

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

Answer = TypeVar("Answer")


class Store(NamedTuple):
    """A bucket that is read on behalf of a client: `path` is the glob of its objects."""

    system: "FileSystem"
    root: str
    path: str
    request: FetchRequest
    access: Access

    def ask(self, what: str, answer: Callable[[], Answer]) -> Answer:
        """Return the answer; retry errors that may pass. Raise PlatformError if there is none."""

        def once() -> Answer:
            try:
                return answer()
            except OSError as error:
                raise platform_error(error, what, self.access) from None

        return patient(self.request.until)(once)


def open_store(request: FetchRequest, source: str, export: Export) -> Store:
    """Return the bucket of an export, opened with the access that `bucket:` names."""
    bucket, url = export.bucket or Bucket(), urlsplit(export.pattern)
    scheme, _, path = export.pattern.partition("://")
    if scheme == "abfss":
        container, _, account = url.netloc.partition("@")
        path = container + path[len(url.netloc) :]
        system = _azure(request, source, bucket, account)
    elif scheme == "gs" and bucket.access == "ambient":
        from pyarrow.fs import GcsFileSystem

        system = GcsFileSystem()
    else:
        system = _s3(request, source, bucket, scheme)
    keys = ("account_key",) if scheme == "abfss" else ("access_key_id", "secret_access_key")
    access = Access(request.client.id, source, bucket.access, keys)
    return Store(system, f"{scheme}://{url.netloc}/", path, request, access)


def _s3(request: FetchRequest, source: str, bucket: Bucket, scheme: str) -> "FileSystem":
    """Return S3, or a store with its interface, as Google's buckets have with HMAC keys."""
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    keys: dict[str, Any] = {"anonymous": True} if bucket.access == "anonymous" else {}
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
