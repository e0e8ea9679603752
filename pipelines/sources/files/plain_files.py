"""Bring a file into a form that the readers know, once before it is read: plain text, in UTF-8.

What is packed by zstd or ZIP, an Excel workbook, JSON that is no list of lines, and texts in
another encoding are copied; any other file is read as it is. What is packed under a name that does
not say what it is, as 1791190800.gz, is JSON if it begins so.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.settings.limits import Limits
from pipelines.sources.batches import ExportError, Reading
from pipelines.sources.files import archives, json_values, workbooks
from pipelines.sources.files.encodings import as_utf8, encoding_of
from pipelines.sources.files.physical_lines import BLOCK, blocks
from pipelines.sources.files.unpacking import bounded, check_size, check_unpacked

JSON = (".json", ".jsonl", ".ndjson")
DELIMITED = (".csv", ".tsv", ".txt")
_PACKED = (".gz", ".zst")


def kind_of(path: Path) -> str:
    """Return what a file is by its name, whatever it is packed by: `.csv` for report.CSV.gz."""
    bare = path.name.lower()
    for packed in _PACKED:
        bare = bare.removesuffix(packed)
    return Path(bare).suffix


def plain(reading: Reading, limits: Limits, folder: Path) -> Path:
    """Return a file that holds what is read, below a folder, or the file itself.

    Raise ExportError if it cannot be unpacked or decoded, or OSError, EOFError or zlib.error if it is torn.
    """
    path = reading.path
    match path.suffix.lower():
        case ".zip":
            return _unzipped(reading, limits, folder)
        case ".gz":
            check_unpacked(path, limits)
        case ".zst":
            path = _copied(bounded(_zstd(path), path, limits), folder / path.stem)
    if reading.path.suffix.lower() in _PACKED and not _is_named(path) and _is_json(_head(path)):
        path = _copied(blocks(path), folder / "text.json")
    if kind_of(path) == ".xlsx":
        return _of_workbook(reading, path, limits, folder)
    if kind_of(path) in JSON + DELIMITED:
        path = _in_utf8(reading, path, folder)
    if kind_of(path) == ".json" and json_values.may_be_answer(_head(path)):
        json_values.refuse_answer(reading.connection, path, reading.wanted)
    if kind_of(path) in JSON and not json_values.is_of_lines(_head(path), kind_of(path)):
        return _of_values(reading, path, folder)
    return path


def _is_named(path: Path) -> bool:
    """Return whether a packed file's name says what is packed: 1791190800.gz does not, a.csv.gz does."""
    return bool(re.fullmatch("[.][a-z]+[0-9]?", kind_of(path)))


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _of_workbook(reading: Reading, path: Path, limits: Limits, folder: Path) -> Path:
    with archives.opened_archive(path) as archive:
        check_size(sum(info.file_size for info in archive.infolist()), path, limits)
    target = _place(folder / "sheet.csv")
    workbooks.write_csv(reading._replace(path=path), target)
    return target


def _in_utf8(reading: Reading, path: Path, folder: Path) -> Path:
    if encoding := encoding_of(_head(path), reading.export.encoding):
        return _copied(as_utf8(blocks(path), encoding, path), folder / f"text{kind_of(path)}")
    return path


def _of_values(reading: Reading, path: Path, folder: Path) -> Path:
    values, target = _copied(blocks(path), folder / "values.json"), folder / "lines.jsonl"
    json_values.write_lines(reading.connection, values, target)
    return target


def _unzipped(reading: Reading, limits: Limits, folder: Path) -> Path:
    """Return what is in an archive: its only file, or its texts as one."""
    path = reading.path
    with archives.opened_archive(path) as archive:
        infos = archives.files_in(archive, path)
        check_size(sum(info.file_size for info in infos), path, limits)
        parts = []
        for number, info in enumerate(infos):
            target = folder / str(number) / Path(info.filename).name
            part = _copied(archives.unpacked(archive, info, path), target)
            parts.append(plain(reading._replace(path=part), limits, target.parent))
    if len(parts) == 1:
        return parts[0]
    if len(kinds := {kind_of(part) for part in parts}) > 1 or not kinds <= {*JSON, *DELIMITED}:
        reason = (
            f"{len(parts)} files are in it that cannot be put together ({', '.join(sorted(kinds))})"
        )
        raise ExportError(f"{reason}; deliver each by itself", path)
    return _copied(archives.joined(map(blocks, parts)), folder / f"parts{kinds.pop()}")


def _zstd(path: Path) -> Iterator[bytes]:
    """Yield what is packed. Raise OSError if it is torn."""
    with pa.input_stream(str(path), compression="zstd") as file:
        while piece := file.read(BLOCK):
            yield piece


def _copied(pieces: Iterable[bytes], target: Path) -> Path:
    with _place(target).open("wb") as file:
        file.writelines(pieces)
    return target


def _place(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _head(path: Path) -> bytes:
    """Return the beginning of a text."""
    return next(blocks(path), b"")
