"""Speak the reading half of S3: ListObjectsV2, HeadBucket, HeadObject, GetObject with ranges.

Buckets are part of the path, as with an endpoint override. The access key of the signature is
checked, the signature is not. See docs.aws.amazon.com/AmazonS3/latest/API.
"""

import hashlib
import re
from datetime import datetime, timezone
from email.utils import format_datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from demo.servers.http_server import Answer, Refused, Request, Server, Status, route

BUCKET = r"/(?P<bucket>[^/]+)/?"
OBJECT = r"/(?P<bucket>[^/]+)/(?P<key>.+)"
XML = {"Content-Type": "application/xml"}
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)


def failure(status: int, code: str, message: str) -> Status:
    """Return an error in the platform's shape."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Status(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', XML)


def slow_down() -> Status:
    """Answer that the bucket is asked too often."""
    return failure(503, "SlowDown", "Please reduce your request rate.")


def internal_error() -> Status:
    """Answer that the platform failed."""
    return failure(500, "InternalError", "We encountered an internal error. Please try again.")


class BucketServer(Server):
    """Serve the objects in `buckets`; `modified` holds the moments that are not LONG_AGO."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.modified: dict[tuple[str, str], datetime] = {}
        self.access_key = "demo-access-key"
        self.page_keys = 1000

    @route("GET", "/")
    def list_buckets(self, request: Request) -> Answer:
        self._authenticate(request)
        names = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>{_iso(LONG_AGO)}</CreationDate></Bucket>"
            for name in self.buckets
        )
        return _xml("ListAllMyBucketsResult", f"<Buckets>{names}</Buckets>")

    @route("HEAD", BUCKET)
    def head_bucket(self, request: Request, bucket: str) -> Answer:
        self._bucket(request, bucket)
        return Answer.of(200)

    @route("GET", BUCKET)
    def list_objects(self, request: Request, bucket: str) -> Answer:
        objects, asked = self._bucket(request, bucket), request.query
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = asked.get("continuation-token") or asked.get("start-after") or ""
        size = min(int(asked.get("max-keys", self.page_keys)), self.page_keys)
        entries = sorted(
            {_entry(key, prefix, delimiter) for key in objects if key.startswith(prefix)}
        )
        page = [entry for entry in entries if entry > after]
        more, page = len(page) > size, page[:size]
        encode = quote if asked.get("encoding-type") == "url" else escape
        parts = [f"<Name>{bucket}</Name><Prefix>{encode(prefix)}</Prefix>"]
        parts.append(f"<MaxKeys>{size}</MaxKeys><KeyCount>{len(page)}</KeyCount>")
        parts.append(f"<IsTruncated>{str(more).lower()}</IsTruncated>")
        if encode is quote:
            parts.append("<EncodingType>url</EncodingType>")
        if more:
            parts.append(f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>")
        for entry in page:
            if entry in objects and not _rolled(entry, prefix, delimiter):
                parts.append(self._contents(bucket, entry, encode(entry)))
            else:
                parts.append(f"<CommonPrefixes><Prefix>{encode(entry)}</Prefix></CommonPrefixes>")
        return _xml("ListBucketResult", "".join(parts))

    @route("HEAD", OBJECT)
    def head_object(self, request: Request, bucket: str, key: str) -> Answer:
        return self.get_object(request, bucket, key)

    @route("GET", OBJECT)
    def get_object(self, request: Request, bucket: str, key: str) -> Answer:
        objects = self._bucket(request, bucket)
        if key not in objects:
            raise _refused(404, "NoSuchKey", "The specified key does not exist.")
        body = objects[key]
        headers = {"ETag": _etag(body), "Accept-Ranges": "bytes"}
        headers["Content-Type"] = "binary/octet-stream"
        headers["Last-Modified"] = format_datetime(self._moment(bucket, key), usegmt=True)
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
        if not asked:
            return Answer.of(200, body, headers)
        start, end = _bounds(asked[1], asked[2], len(body))
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
        return Answer.of(206, body[start:end], headers)

    def _authenticate(self, request: Request) -> None:
        signed = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
        if not signed or signed[1] != self.access_key:
            raise _refused(403, "AccessDenied", "Access Denied")

    def _bucket(self, request: Request, bucket: str) -> dict[str, bytes]:
        self._authenticate(request)
        if bucket not in self.buckets:
            raise _refused(404, "NoSuchBucket", "The specified bucket does not exist")
        return self.buckets[bucket]

    def _moment(self, bucket: str, key: str) -> datetime:
        return self.modified.get((bucket, key), LONG_AGO)

    def _contents(self, bucket: str, key: str, shown: str) -> str:
        body = self.buckets[bucket][key]
        return (
            f"<Contents><Key>{shown}</Key>"
            f"<LastModified>{_iso(self._moment(bucket, key))}</LastModified>"
            f"<ETag>{escape(_etag(body))}</ETag><Size>{len(body)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )


def _rolled(key: str, prefix: str, delimiter: str) -> bool:
    return bool(delimiter) and delimiter in key[len(prefix) :]


def _entry(key: str, prefix: str, delimiter: str) -> str:
    if not _rolled(key, prefix, delimiter):
        return key
    return key[: key.index(delimiter, len(prefix)) + len(delimiter)]


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    if int(first) >= size:
        raise _refused(416, "InvalidRange", "The requested range is not satisfiable")
    return int(first), min(int(last) + 1, size) if last else size


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _xml(root: str, content: str) -> Answer:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return Answer.of(200, f'{head}<{root} xmlns="{NAMESPACE}">{content}</{root}>', XML)


def _refused(status: int, code: str, message: str) -> Refused:
    error = failure(status, code, message)
    return Refused(error.code, error.body, XML)
