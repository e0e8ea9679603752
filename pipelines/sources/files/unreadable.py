"""Say what a file is that cannot be read as what its name says, and what makes it readable."""

import re
from pathlib import Path

from pipelines.sources.batches import ExportError

# How a file begins that is not what it is called, and what to do with it.
_BEGINNINGS: list[tuple[bytes, str]] = [
    (
        rb"PK\x03\x04",
        "it is an Excel workbook or a ZIP archive: in Excel save it as CSV UTF-8, or unpack it",
    ),
    (rb"\x1f\x8b", "it is compressed by gzip: give its name .gz at the end, such as report.csv.gz"),
    (rb"\x28\xb5\x2f\xfd", "it is compressed by zstd: decompress it, `zstd -d` does, or use gzip"),
    (rb"BZh", "it is compressed by bzip2: decompress it, `bunzip2` does, or use gzip"),
    (rb"\xfd7zXZ", "it is compressed by xz: decompress it, `unxz` does, or use gzip"),
    (rb"PAR1", "it is Parquet: give its name .parquet at the end"),
    (rb"SQLite format 3", "it is a SQLite file: give its name .sqlite at the end"),
    (rb"\xd0\xcf\x11\xe0", "it is an Excel workbook of old: save it as CSV UTF-8"),
    (rb"%PDF", "it is a PDF: export the table as CSV"),
    (rb"\s*<(!doctype|html|\?xml)", "it is a page or XML, as a login or an error page: export CSV"),
]

# What to do with a file, by the end of its name; `{stem}` is what is before that end.
_ENDINGS: dict[str, str] = {
    ".xlsx": "it is an Excel workbook: save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8)",
    ".xls": "it is an Excel workbook: save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8)",
    ".zip": "archives are not read: unpack it (`unzip`), or export it with gzip, as .csv.gz",
    ".zst": "of compressions only gzip is read: `zstd -d` unpacks it",
    ".bz2": "of compressions only gzip is read: `bunzip2` unpacks it",
    ".xz": "of compressions only gzip is read: `unxz` unpacks it",
    ".br": "of compressions only gzip is read: `brotli -d` unpacks it",
    ".lz4": "of compressions only gzip is read: `lz4 -d` unpacks it",
    ".txt": "if it is delimited by commas, semicolons, tabs or |, call it {stem}.csv",
    ".tsv": "Snowplow's is read with `format: snowplow`; call any other {stem}.csv, tabs are found",
    ".ndjson": "call it {stem}.jsonl",
}

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def unknown_format(path: Path, known: list[str]) -> ExportError:
    """Return the error for a file whose name ends in what nobody reads, with what to do instead."""
    name = path.name.lower()
    packed = ".gz" if name.endswith(".gz") else ""
    bare = Path(name.removesuffix(packed))
    stem = path.name[: len(bare.stem)]
    if bare.suffix == ".json":
        reason = _of_json(path, packed, stem)
    elif packed and bare.suffix not in _ENDINGS:
        reason = "its name does not say what is packed in it: call it .csv.gz or .jsonl.gz"
    else:
        reason = _ENDINGS.get(bare.suffix, "").format(stem=stem)
    listed = f"what is read ends in {', '.join(known)}, and texts with .gz after it"
    renamed = ", and let `files:` match that" if f"{stem}." in reason else ""
    said = f"unknown format; {reason}{renamed}" if reason else "unknown format"
    return ExportError(f"{said}; {listed}", path)


def no_objects(path: Path) -> ExportError:
    """Return the error for a file that is called JSON lines, and has no line with an object."""
    if not path.name.lower().endswith(".gz"):
        with path.open("rb") as file:
            if file.read(1000).strip().startswith(b"["):
                stem = path.name.removesuffix(path.suffix)
                remedy = (
                    f"`jq -c '.[]' {path.name} > {stem}-lines.jsonl` makes an object a line of it"
                )
                return ExportError(f"no line holds a JSON object: it is one array; {remedy}", path)
    return ExportError("no line holds a JSON object; export one a line, as UTF-8", path)


def not_a_text(path: Path, head: bytes, error: Exception) -> ExportError:
    """Return the error for a file that is called a text, and whose beginning is none in UTF-8."""
    if head.startswith(b"\x1f\x8b") and path.name.lower().endswith(".gz"):
        reason = "it is compressed twice: unpack it once (gunzip), and let the name end in one .gz"
    elif found := _beginning(head):
        reason = found
    elif head.startswith(_UTF16) or head[:200].count(b"\0") > len(head[:200]) // 4:
        reason = "it is UTF-16: export it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8"
    elif isinstance(error, UnicodeDecodeError):
        reason = (
            f"line 1 has a letter that is not UTF-8 at its byte {error.start + 1}; mostly such a file"
            " is Windows-1252: export it as UTF-8 (in Excel: Save as, CSV UTF-8), or convert it:"
            " iconv -f WINDOWS-1252 -t UTF-8"
        )
    else:
        reason = f"{error}; export it as CSV in UTF-8"
    return ExportError(f"its header is not readable: {reason}", path)


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


def _of_json(path: Path, packed: str, stem: str) -> str:
    """Return what to do with a .json file: one array is no list of lines, an object a line is."""
    if not packed and path.is_file():
        with path.open("rb") as file:
            if file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                return (
                    "it is one array: JSON is read an object a line, which"
                    f" `jq -c '.[]' {path.name} > {stem}.jsonl` makes of it"
                )
    return f"JSON is read an object a line: if each line of it is an object, call it {stem}.jsonl{packed}"
