"""Read texts in other encodings than UTF-8: by their byte order mark, or by what the client's file says."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from pipelines.sources.batches import ExportError

USUAL = "cp1252"  # Windows-1252, of texts that are not UTF-8

# The longer first: a mark of UTF-32 begins as one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

_ASCII = bytes(range(128))

# A letter beyond ASCII as UTF-8 writes it; texts in a one-byte encoding hold such a pair by chance only.
_UTF8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def encoding_of(head: bytes, named: str | None) -> str:
    """Return the encoding of a text that begins so; nothing for UTF-8.

    What the text shows is surer than the setting: its mark, or that it has no NULs, as UTF-16 has.
    """
    if found := next((name for mark, name in _MARKS.items() if head.startswith(mark)), ""):
        return found
    if not named or head.startswith(codecs.BOM_UTF8):
        return ""
    is_wide = b"\0" in ",".encode(named)
    if is_wide and b"\0" not in head:
        return ""
    if codecs.lookup(named).name in ("utf-16", "utf-32"):  # which byte comes first, no mark says
        return f"{named}-be" if head.startswith(b"\0") else f"{named}-le"
    return named


def as_utf8(blocks: Iterable[bytes], encoding: str, path: Path) -> Iterator[bytes]:
    """Yield a text in UTF-8.

    A line that is UTF-8 already stays so where the encoding shares ASCII with it: an export may have
    been changed to UTF-8, in the middle of a file, too. Raise ExportError if a byte stands for nothing.
    """
    if _ASCII.decode(encoding, "replace") == _ASCII.decode():
        yield from _lines_as_utf8(blocks, encoding, path)
        return
    decoder, lines, mark = codecs.getincrementaldecoder(encoding)(), 0, "\ufeff"
    for block in chain(blocks, [b""]):
        try:
            text = decoder.decode(block, not block)
        except UnicodeError as error:
            raise _not_encoded(path, lines + 1, encoding, error) from None
        lines += text.count("\n")
        yield text.removeprefix(mark).encode()
        mark = ""


def _lines_as_utf8(blocks: Iterable[bytes], encoding: str, path: Path) -> Iterator[bytes]:
    lines = 0
    for text in _whole_lines(blocks):
        for part in text.splitlines(keepends=True) if _UTF8_LETTER.search(text) else [text]:
            yield _one_as_utf8(part, encoding, path, lines + 1)
            lines += part.count(b"\n")


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text in parts that end with a line."""
    rest = b""
    for block in blocks:
        whole, end, rest = (rest + block).rpartition(b"\n")
        yield whole + end
    yield rest


def _one_as_utf8(text: bytes, encoding: str, path: Path, line: int) -> bytes:
    """Return a part of a text, which begins with a line of a number, in UTF-8."""
    if _UTF8_LETTER.search(text):
        try:
            text.decode()
            return text
        except UnicodeDecodeError:
            pass
    try:
        return text.decode(encoding).encode()
    except UnicodeDecodeError as error:
        line += text.count(b"\n", 0, error.start)
        raise _not_encoded(path, line, encoding, error) from None


def _not_encoded(path: Path, line: int, encoding: str, error: UnicodeError) -> ExportError:
    byte = ""
    if isinstance(error, UnicodeDecodeError) and error.start < len(error.object):
        byte = f": the byte 0x{error.object[error.start]:02x} is no letter there"
    reason = f"line {line} is not {encoding}{byte}"
    return ExportError(f"{reason}; correct `encoding:`, or export the file as UTF-8", path)
