"""Unpack a file once before it is read: to its end, and no further than its client allows.

Of a Parquet file its own account of itself is read: it says how large its columns are unpacked.
"""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from pipelines.settings.limits import Limits
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.unreadable import not_packed
from pipelines.sql import file_literal, only_row

_MEGABYTE = 1_000_000
_MOST_TIMES = 250  # its size, packed: exports come to 50, and a file of blanks to 1,000
_MOST_MORE = 10  # times what is allowed, up to which it is unpacked to say what it takes
_SMALL = 100 * _MEGABYTE  # which may be packed as well as it can
_FEW_ROWS = 10_000_000  # of a Parquet file, which may be as small as it can
_MOST_ROWS = 10  # of a byte: where all values are the same, one byte tells of thousands


def check_unpacked(path: Path, limits: Limits) -> None:
    """Unpack a file that ends in .gz: DuckDB takes half of one for a whole.

    Raise ExportError if it is larger than it may be, or OSError, EOFError or zlib.error if it is torn.
    """
    if path.suffix.lower() != ".gz":
        return
    with path.open("rb") as file:
        if not (head := file.read(1000)).startswith(b"\x1f\x8b"):
            raise not_packed(path, head)
    with gzip.open(path) as unpacked:
        for _ in bounded(iter(lambda: _piece(unpacked, path), b""), path, limits):
            pass


def bounded(pieces: Iterable[bytes], path: Path, limits: Limits) -> Iterator[bytes]:
    """Yield what is unpacked of a file, piece by piece.

    Raise ExportError if it is nothing, or larger than it may be.
    """
    packed, size = path.stat().st_size, 0
    allowed = limits.unpacked_mb * _MEGABYTE
    for piece in pieces:
        size += len(piece)
        if size > min(max(_SMALL, packed * _MOST_TIMES), allowed * _MOST_MORE):
            break
        if size <= allowed:
            yield piece
    check_size(size, path, limits)


def check_size(size: int, path: Path, limits: Limits) -> None:
    """Raise ExportError for a size, unpacked, that is nothing, or larger than it may be."""
    if not size:
        raise ExportError("what is packed in it is empty; deliver it again", path)
    if size > max(_SMALL, path.stat().st_size * _MOST_TIMES):
        raise ExportError(
            f"unpacked it is more than {_MOST_TIMES} times as large, as no export is;"
            " if it is one, deliver it unpacked",
            path,
        )
    if size > limits.unpacked_mb * _MEGABYTE:
        raise _too_large(path, limits, size)


def check_parquet(connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits) -> None:
    """Raise ExportError if a Parquet file says of itself that it is larger than it may be, or that no export is so dense."""
    packed, file = path.stat().st_size, file_literal(path)
    rows, size = only_row(
        connection.execute(
            f"""SELECT (SELECT SUM(num_rows) FROM parquet_file_metadata({file})),
            (SELECT SUM(total_uncompressed_size) FROM parquet_metadata({file}))"""
        )
    )
    if (rows or 0) > max(_FEW_ROWS, packed * _MOST_ROWS):
        raise ExportError(
            f"it holds {rows:,} rows in {packed:,} bytes, as no export does whose rows differ; if it is one,"
            " deliver it in parts",
            path,
        )
    if (size or 0) > limits.unpacked_mb * _MEGABYTE:
        raise _too_large(path, limits, size)


def padded(path: Path) -> ExportError:
    """Return the error for a file in which zeros stand after what is packed: DuckDB reads no such file.

    Between two packed pieces gunzip stops at them, and Python does not.
    """
    return ExportError(
        "zeros stand behind what is packed in it, as tapes and some uploads leave them:"
        f" `python3 -m gzip -d {path.name}` unpacks it; let `files:` match {_unpacked(path)} then",
        path,
    )


def _piece(file: gzip.GzipFile, path: Path) -> bytes:
    """Return the next bytes. Raise ExportError if behind what was packed something else follows."""
    try:
        return file.read(1 << 20)
    except gzip.BadGzipFile as error:
        if "Not a gzipped file" not in str(error):
            raise
        bare = _unpacked(path)
        raise ExportError(
            "behind what is packed in it stand bytes that gzip has not written: if it is put together"
            " of several packed files, one is torn, and is to be delivered again; if whatever uploads"
            f" it adds them, unpack it, `gunzip -c {path.name} > {bare}`, and let `files:` match {bare}",
            path,
        ) from None


def _unpacked(path: Path) -> str:
    return path.name[: -len(".gz")]


def _too_large(path: Path, limits: Limits, size: int) -> ExportError:
    """Return the error for a file beyond its limit, with the limit that it takes, if that was found out."""
    reason = f"unpacked it is larger than {limits.unpacked_mb} MB; deliver it in parts"
    if size > limits.unpacked_mb * _MEGABYTE * _MOST_MORE:
        return ExportError(f"{reason}: it is more than {_MOST_MORE} times as large", path)
    needed = Remedy(f"unpacked_mb: {-(-size // _MEGABYTE)}", below="limits")
    return ExportError(f"{reason}, or raise the limit", path, remedies=[needed])
