"""Say what a file is that cannot be read as what its name says, and what makes it readable."""

import re
from pathlib import Path

from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.encodings import USUAL

# How a file begins that is not what it is called, and what to do with it.
_BEGINNINGS: list[tuple[bytes, str]] = [
    (
        rb"PK\x03\x04",
        "it is an Excel workbook or a ZIP archive: give its name .xlsx or .zip at the end",
    ),
    (rb"\x1f\x8b", "it is compressed by gzip: give its name .gz at the end, such as report.csv.gz"),
    (
        rb"\x28\xb5\x2f\xfd",
        "it is compressed by zstd: give its name .zst at the end, such as report.csv.zst",
    ),
    (rb"BZh", "it is compressed by bzip2: decompress it, `bunzip2` does, or use gzip"),
    (rb"\xfd7zXZ", "it is compressed by xz: decompress it, `unxz` does, or use gzip"),
    (rb"PAR1", "it is Parquet: give its name .parquet at the end"),
    (rb"SQLite format 3", "it is a SQLite file: give its name .sqlite at the end"),
    (rb"\xd0\xcf\x11\xe0", "it is an Excel workbook of old: save it as .xlsx or as CSV UTF-8"),
    (rb"%PDF", "it is a PDF: export the table as CSV"),
    (rb"\s*<(!doctype|html|\?xml)", "it is a page or XML, as a login or an error page: export CSV"),
]

# What a file is, by the end of its name, and what to do with it.
_ENDINGS: dict[str, str] = {
    ".xls": "it is an Excel workbook of old: save it as .xlsx or as CSV UTF-8",
    ".xlsb": "it is a binary Excel workbook: save it as .xlsx or as CSV UTF-8",
    ".ods": "it is a workbook of LibreOffice: save it as .xlsx or as CSV UTF-8",
    ".bz2": "of compressions gzip and zstd are read: `bunzip2` unpacks it",
    ".xz": "of compressions gzip and zstd are read: `unxz` unpacks it",
    ".br": "of compressions gzip and zstd are read: `brotli -d` unpacks it",
    ".lz4": "of compressions gzip and zstd are read: `lz4 -d` unpacks it",
    ".7z": "of archives ZIP is read: `7z x` unpacks it",
}


def unknown_format(path: Path, known: list[str]) -> ExportError:
    """Return the error for a file whose name ends in what nobody reads, with what to do instead."""
    name = path.name.lower()
    packed = next((each for each in (".gz", ".zst") if name.endswith(each)), "")
    kind = Path(name.removesuffix(packed)).suffix
    reason = _ENDINGS.get(kind, "")
    if packed and not reason:
        reason = (
            f"its name does not say what is packed in it: call it .csv{packed} or .jsonl{packed}"
        )
    listed = f"what is read ends in {', '.join(known)}, with .gz, .zst or .zip after it, or in .zip"
    return ExportError(f"unknown format; {f'{reason}; ' * bool(reason)}{listed}", path)


def no_objects(path: Path) -> ExportError:
    """Return the error for a file that is called JSON lines, and has no line with an object."""
    return ExportError("no line holds a JSON object; export one a line, as UTF-8", path)


def not_a_text(path: Path, head: bytes, error: Exception, line: int = 1) -> ExportError:
    """Return the error for a file that is called a text, and whose beginning is none in UTF-8."""
    encoding = ""
    if head.startswith(b"\x1f\x8b") and path.name.lower().endswith(".gz"):
        reason = "it is compressed twice: unpack it once (gunzip), and let the name end in one .gz"
    elif found := _beginning(head):
        reason = found
    elif head[:200].count(b"\0") > len(head[:200]) // 4:
        reason = "it is UTF-16 without a mark that says so: say it, or export it as UTF-8"
        encoding = "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
    elif isinstance(error, UnicodeDecodeError):
        reason = (
            f"line {line} has a letter that is not UTF-8 at its byte {error.start + 1}; mostly such a file"
            " is Windows-1252: say so, or export it as UTF-8 (in Excel: Save as, CSV UTF-8)"
        )
        encoding = USUAL
    else:
        reason = f"{error}; export it as CSV in UTF-8"
    remedies = [Remedy(f"encoding: {encoding}")] if encoding else []
    return ExportError(f"its header is not readable: {reason}", path, remedies=remedies)


def not_packed(path: Path, head: bytes) -> ExportError:
    """Return the error for a file that is called .gz and is none; `head` is how it begins."""
    bare = path.name[: -len(".gz")]
    reason = _beginning(head) or f"if it is not compressed, call it {bare}"
    return ExportError(f"its name ends in .gz, but it is not compressed by gzip; {reason}", path)


def is_known(head: bytes) -> bool:
    """Return whether a file that begins so is known to be something else than a text of rows."""
    return bool(_beginning(head))


def _beginning(head: bytes) -> str:
    """Return what a file is that begins so, and what to do with it; nothing if that is not known."""
    found = (text for start, text in _BEGINNINGS if re.match(start, head, re.IGNORECASE))
    return next(found, "")
