"""Read an export from a bucket: new and changed objects are downloaded, then read as files."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from time import sleep, time
from typing import TYPE_CHECKING

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, FetchRequest, Open, Rows
from pipelines.sources.errors import PlatformError
from pipelines.sources.files import reading
from pipelines.sources.files.bucket_stores import Store, open_store

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

CHUNK = 8 << 20
_LOOKED_FOR = 20
_SECOND_IS_OVER = 2  # seconds after it begins, and clocks differ a little


def batches(
    request: FetchRequest, source: str, table: str, export: Export, contract: Contract
) -> list[Batch]:
    """Return the objects that match as batches, by size and time of change: a new one is downloaded.

    Raise ExportError if there is none, PlatformError if the bucket does not answer.
    """
    store = open_store(request, source, export)
    found = _found(store, export)
    if _may_still_change(found):
        found = _found(store, export)
    _check_listing(store, {info.path for info in found}, request.known.get(table, ()))
    if not found:
        raise ExportError(f"no object matches {export.files}; deliver it, or correct `files:`")
    return [_batch(store, info, table, export, contract) for info in sorted(found, key=_path)]


def _found(store: Store, export: Export) -> list["FileInfo"]:
    listed = store.ask(export.pattern, partial(_listed, store))
    return [info for info in listed if info.is_file and _matches(store, info.path)]


def _may_still_change(found: "list[FileInfo]") -> bool:
    """Wait until the second in which the newest object was written is over; return whether it was not.

    An object is known by its size and that second: another one of this size, written within it, would
    look like one that was loaded. One that is written later has another time.
    """
    newest = max((info.mtime_ns for info in found), default=0) / 1e9
    left = newest + _SECOND_IS_OVER - time()
    if left <= 0:
        return False
    sleep(min(left, _SECOND_IS_OVER))  # no longer, where the bucket's clock is ahead of ours
    return True


def _check_listing(store: Store, listed: set[str], known: Iterable[str]) -> None:
    """Raise PlatformError if the listing lacks an object that is there: it broke off without a word.

    Those that were loaded last are looked for. A listing is cut off at its end, so a few will do.
    """
    bucket = store.path.partition("/")[0]
    keys = [name.removeprefix(store.root) for name in known if name.startswith(store.root)]
    paths = {path for key in keys if _matches(store, path := f"{bucket}/{key}")}
    for path in sorted(paths - listed)[-_LOOKED_FOR:]:
        name = store.root + path.partition("/")[2]
        if store.ask(name, partial(store.system.get_file_info, path)).is_file:
            reason = f"the listing of {store.root} lacks {name}, which is there"
            raise PlatformError("malformed_answer", f"{reason}; the next run tries again")


def _matches(store: Store, path: str) -> bool:
    return PurePosixPath("/", path).match(f"/{store.path}")


def _batch(store: Store, info: "FileInfo", table: str, export: Export, contract: Contract) -> Batch:
    name = store.root + info.path.partition("/")[2]
    folder = store.request.folder / hashlib.sha256(name.encode()).hexdigest()[:16]
    path = folder / PurePosixPath(info.path).name
    content, changed = f"{info.size} bytes of {info.mtime_ns}", info.mtime_ns

    def opening(by: Export) -> Open:
        return partial(_opened, store, info, name, path, contract, by)

    return Batch(table, name, content, path, opening(export), file_time=changed, opening=opening)


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
    changed, limits = path.stat().st_mtime_ns, store.request.client.limits
    with reading.opened(path, contract, export, limits, changed, connection) as rows:
        yield rows
    path.unlink()  # a refused one stays, to be set aside


def _download(store: Store, info: "FileInfo", name: str, path: Path) -> None:
    """Write an object to a file as it is, packed or not, and no more of it than was listed."""
    from pyarrow.fs import FileType

    try:
        stream = store.system.open_input_stream(info.path, compression=None)
        with stream as remote, path.open("wb") as local:
            while local.tell() <= info.size and (piece := remote.read(CHUNK)):
                local.write(piece)
    except OSError:  # for an object that vanished, the text differs from cloud to cloud
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

    plain = store.path[: re.split(r"[*?\[]", store.path)[0].rfind("/") + 1]
    is_deep = "/" in store.path[len(plain) :]
    try:
        return store.system.get_file_info(FileSelector(plain.rstrip("/"), recursive=is_deep))
    except FileNotFoundError:
        return []


def _path(info: "FileInfo") -> str:
    return info.path
