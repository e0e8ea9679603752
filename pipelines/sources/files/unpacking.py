"""Unpack a file once before it is read: to its end, and no further than its client allows."""

import gzip
from pathlib import Path

from pipelines.settings.limits import Limits
from pipelines.sources.batches import ExportError
from pipelines.sources.files.unreadable import not_packed

_MEGABYTE = 1_000_000
_MOST_TIMES = 250  # its size, packed: exports come to 50, and a file of blanks to 1,000
_SMALL = 100 * _MEGABYTE  # which may be packed as well as it can


def check_unpacked(path: Path, limits: Limits) -> None:
    """Unpack a file that ends in .gz: DuckDB takes half of one for a whole.

    Raise ExportError if it is larger than it may be, or OSError, EOFError or zlib.error if it is torn.
    """
    if path.suffix.lower() != ".gz":
        return
    with path.open("rb") as file:
        if not (head := file.read(1000)).startswith(b"\x1f\x8b"):
            raise not_packed(path, head)
    packed, size = path.stat().st_size, 0
    with gzip.open(path) as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            if size > limits.unpacked_mb * _MEGABYTE:
                raise ExportError(
                    f"unpacked it is larger than {limits.unpacked_mb} MB; deliver it in parts,"
                    " or raise limits.unpacked_mb in the client's file",
                    path,
                )
            if size > max(_SMALL, packed * _MOST_TIMES):
                raise ExportError(
                    f"unpacked it is more than {_MOST_TIMES} times as large, as no export is;"
                    " if it is one, deliver it unpacked",
                    path,
                )
