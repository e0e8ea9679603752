"""Read the files of a ZIP archive: one delivery, whose parts have one header."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from pipelines.sources.batches import ExportError
from pipelines.sources.files.physical_lines import BLOCK

_MOST_FILES = 1_000
_ENCRYPTED = 0x1


def files_in(archive: ZipFile, path: Path) -> list[ZipInfo]:
    """Return the files of an archive, without what systems add to them, in the order of their names.

    Raise ExportError if there is none, if there are too many, or if one has a password.
    """
    found = [info for info in archive.infolist() if not info.is_dir() and not _is_added(info)]
    if not found:
        raise ExportError("no file is in it; deliver it again", path)
    if len(found) > _MOST_FILES:
        reason = f"{len(found):,} files are in it, and {_MOST_FILES:,} are read"
        raise ExportError(f"{reason}; deliver it in parts", path)
    if locked := next((info for info in found if info.flag_bits & _ENCRYPTED), None):
        reason = f"{locked.filename} in it has a password; deliver it without"
        raise ExportError(reason, path)
    return sorted(found, key=lambda info: info.filename)


def opened_archive(path: Path) -> ZipFile:
    """Open an archive. Raise ExportError if it is none, or torn: its list of files is at its end."""
    try:
        return ZipFile(path)
    except zipfile.BadZipFile:
        reason = "it is no ZIP archive, or it is torn; deliver it again"
        raise ExportError(reason, path) from None


def unpacked(archive: ZipFile, info: ZipInfo, path: Path) -> Iterator[bytes]:
    """Yield what is packed. Raise ExportError if it is torn, or packed in a way that Python lacks."""
    try:
        with archive.open(info) as file:
            while piece := file.read(BLOCK):
                yield piece
    except (zipfile.BadZipFile, EOFError) as error:
        raise ExportError(
            f"{info.filename} in it is torn ({error}); deliver it again", path
        ) from None
    except NotImplementedError:
        reason = f"{info.filename} in it is packed in a way that is not read"
        raise ExportError(f"{reason}; pack it by `zip`, or deliver it as it is", path) from None


def joined(texts: Iterable[Iterator[bytes]]) -> Iterator[bytes]:
    """Yield texts one after the other; a first line that is the first text's own, the header, once."""
    header = b""
    for blocks in texts:
        last = next(blocks, b"")
        line, _, rest = last.partition(b"\n")
        header, is_again = header or line.strip(), header == line.strip()
        last = rest if is_again else last
        yield last
        for last in blocks:
            yield last
        if last and not last.endswith((b"\n", b"\r")):
            yield b"\n"


def _is_added(info: ZipInfo) -> bool:
    """Return whether a file is none of the export's, but what macOS or Windows leaves beside them."""
    name = PurePosixPath(info.filename)
    return "__MACOSX" in name.parts or name.name in (".DS_Store", "Thumbs.db", "desktop.ini")
