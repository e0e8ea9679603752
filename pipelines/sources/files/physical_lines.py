"""Count a text file's lines as they lie in it, whatever a parser takes for a row."""

import codecs
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

BLOCK = 1 << 20  # a line of two blocks and more leaves a block without a line end

_LF, _QUOTE = b'\n"'


class Survey(NamedTuple):
    """The lines of a file, whether each can be handed to the parser as it is, and whether the last is ended.

    They cannot where line ends differ or are old Macs', and where a line is blank, very long, ends
    inside of quotes, holds a NUL or is not UTF-8.
    """

    lines: int
    is_plain: bool
    is_ended: bool


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's content, unpacked if it is packed, without a byte order mark.

    Raise OSError, EOFError or zlib.error if it is torn.
    """
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        if first := file.read(BLOCK).removeprefix(codecs.BOM_UTF8):
            yield first
        while block := file.read(BLOCK):
            yield block


def survey(path: Path, is_quoted: bool) -> Survey:
    """Count the lines of a file; in a CSV file quotes may go on to the next line."""
    lf = cr = crlf = quotes = 0
    last, is_plain, is_utf_8 = b"\n", True, _is_utf_8()
    for block in blocks(path):
        letters = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(letters == _LF)
        lf += len(ends)
        crlf += last == b"\r" and block[:1] == b"\n"
        if b"\r" in block:
            cr, crlf = cr + block.count(b"\r"), crlf + block.count(b"\r\n")
        is_plain = is_plain and b"\0" not in block and not _has_blank(block, last, ends)
        is_plain = is_plain and (len(block) < BLOCK or len(ends) > 0) and is_utf_8(block)
        if is_quoted and (b'"' in block or quotes % 2):
            places = np.flatnonzero(letters == _QUOTE)
            before = np.searchsorted(places, ends) + quotes
            is_plain = is_plain and not (before % 2).any()
            quotes += len(places)
        last = block[-1:]
    is_alike = cr == crlf and crlf in (0, lf)
    is_ended = last in (b"\n", b"\r")
    lines = lf + cr - crlf + (not is_ended)
    is_plain = bool(is_plain and is_alike and quotes % 2 == 0 and is_utf_8(b"", True))
    return Survey(lines, is_plain, is_ended)


def _is_utf_8() -> Callable[..., bool]:
    """Return what says of one block after the other whether all are UTF-8 so far."""
    decoder = codecs.getincrementaldecoder("utf-8")()

    def check(block: bytes, is_last: bool = False) -> bool:
        try:
            return bool(decoder.decode(block, is_last) or True)
        except UnicodeDecodeError:
            return False

    return check


def _has_blank(block: bytes, last: bytes, ends: np.ndarray) -> bool:
    """Return whether a line is blank; `last` is what the block before ended with, `ends` where its lines end."""
    if (last == b"\n" and block[:1] in (b"\n", b"\r")) or (np.diff(ends) == 1).any():
        return True
    return b"\r" in block and b"\n\r" in block
