"""Copy a text file for the parser, each record in a line of its own, behind its line in the file.

What is no record is left out, and listed with its line, its text and the reason. So every line of
the file is in a record of the copy, in that list, in the header, or blank.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.physical_lines import blocks
from pipelines.sources.files.records import Grammar, Piece, Unclosed, pieces
from pipelines.sources.files.row_shapes import holds_a_row, looks_like_rows
from pipelines.sources.files.short_rows import Filling

LONGEST = 2_000_000  # bytes of a record that is read
_KEPT = 1_000_000  # bytes of a bad record that quarantine keeps; of a longer one, the place
_BEGINNING = 10_000  # letters of a longer one that are kept beside its place
CUT = "… (cut"  # what stands at the end of a text then
_CLOSE_IT = "; close it, or write"
_ROW_LINES = 1_000  # lines of a row, where the settings say nothing

# In the copy, for a line break in a value: noncharacters, which Unicode keeps for such ends.
LF, CR = "\ufdd0", "\ufdd1"
_BREAKS = ((b"\n", LF.encode()), (b"\r", CR.encode()))

REJECTS = pa.schema(
    [("line", pa.int64()), ("content", pa.string()), ("reason", pa.string()), ("lines", pa.int64())]
)


class Layout(NamedTuple):
    """How a text file is laid out.

    `names` reads a header, if there is one; `row_lines` is how many lines a row may span, if the
    settings say it; so many lines `above` the header are titles. `filling` says how rows below a header
    are filled that end before their last columns.
    """

    mark: str
    rules: Grammar | None = None
    names: Callable[[bytes], list[str]] | None = None
    row_lines: int | None = None
    above: int = 0
    filling: Callable[[list[str]], Filling] | None = None


class Copied(NamedTuple):
    """What is in a copy: the header's names, the number of records, and the lines of the file.

    Line breaks in values are LF and CR, if it `has_breaks`. So many short rows were `filled`, and so many
    had `nuls`, which are left out.
    """

    names: list[str]
    records: int
    rejects: int
    lines: int
    has_breaks: bool
    filled: int
    nuls: int


def copy_numbered(
    path: Path, target: Path, layout: Layout, keep: Callable[[pa.Table], object]
) -> Copied:
    """Copy a file; hand what is no record to `keep`. Raise ExportError if it cannot be cut."""
    with target.open("wb") as file:
        writer = _Writer(path, layout, file, keep)
        for piece in writer.pieces():
            writer.take(piece)
        return writer.end()


class _Writer:
    """Takes one piece after the other, and knows the line and the byte where it is."""

    def __init__(
        self, path: Path, layout: Layout, file: BinaryIO, keep: Callable[[pa.Table], object]
    ) -> None:
        self._path, self._layout, self._file, self._keep = path, layout, file, keep
        self._numbered = b"%010d" + layout.mark.encode() + b"%b\n"
        self._names: list[str] | None = None if layout.names else []
        self._rejects: list[tuple[int, str, str, int]] = []
        self._records = self._reject_count = self._byte = 0
        self._line = layout.above + 1
        self._has_breaks = False
        self._filling: Filling | None = None
        self._filled = self._nuls = 0

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the file."""
        try:
            yield from pieces(self._below_titles(), self._layout.rules)
        except Unclosed as error:
            line = self._line + _breaks(error.before)
            reason = f"line {line}: a quote opens here, and none closes it in the 16 MB after it"
            raise ExportError(
                f"{reason}; close it, and deliver the file again", self._path
            ) from None

    def _below_titles(self) -> Iterator[bytes]:
        """Yield the file from its header on; titles are in its first block."""
        parts = blocks(self._path)
        first = next(parts, b"")
        self._byte = len(b"".join(first.splitlines(keepends=True)[: self._layout.above]))
        yield first[self._byte :]
        yield from parts

    def take(self, piece: Piece) -> None:
        """Write the records of a piece, or list what is wrong with it."""
        if piece.fault or piece.is_one:
            self._take_one(piece)
        elif self._names is not None and _is_usual(piece.text):
            self._write_lines(piece.text)
            self._byte += piece.size
        else:
            for line in piece.text.splitlines(keepends=True):
                self._take_one(Piece(line, len(line)))
        if len(self._rejects) > 1000:
            self._hand_over()

    def end(self) -> Copied:
        """Hand over what is left; return what was copied."""
        self._hand_over()
        counts = (self._records, self._reject_count, self._line - 1)
        return Copied(self._names or [], *counts, self._has_breaks, self._filled, self._nuls)

    def _write_lines(self, text: bytes) -> None:
        lines = text.splitlines()
        if self._filling:
            last = [] if _is_ended(text) else [lines.pop()]
            self._filled += self._filling.filled(text, lines)
            lines += last
        self._file.write(b"".join(map(self._numbered.__mod__, zip(count(self._line), lines))))
        self._records += len(lines)
        self._line += len(lines)

    def _take_one(self, piece: Piece) -> None:
        body = piece.text.removesuffix(b"\n").removesuffix(b"\r")
        lines = _breaks(body) + 1
        reason = self._reason(piece, body, lines)
        if not reason and not body.strip():
            pass
        elif self._names is None:
            self._read_header(body, reason)
        elif reason:
            self._reject(piece, body, lines, reason)
        else:
            self._nuls += b"\0" in body
            self._write_one(self._whole(piece, body).replace(b"\0", b""), lines)
        self._line += lines
        self._byte += piece.size

    def _whole(self, piece: Piece, body: bytes) -> bytes:
        """Return a record with what it lacks at its end, if it may be filled."""
        if not self._filling or not _is_ended(piece.text):
            return body
        lacking = self._filling.lacking(body)
        self._filled += bool(lacking)
        return body + self._filling.mark * lacking

    def _read_header(self, body: bytes, reason: str) -> None:
        assert self._layout.names
        if reason:
            raise self._header_refused(body, reason)
        self._names = self._layout.names(body)
        if self._layout.filling:
            self._filling = self._layout.filling(self._names)

    def _header_refused(self, body: bytes, reason: str) -> ExportError:
        """Return the error for a header that is no row; with the line to paste if it goes on over lines."""
        said, by_lines, _ = reason.partition(_CLOSE_IT)
        remedies = [Remedy(f"row_lines: {_breaks(body) + 1}")] if by_lines else []
        mend = "close it, unless it is one name" if by_lines else "mend it"
        text = f"its header, in line {self._line}: {said}; {mend}"
        return ExportError(text, self._path, remedies=remedies)

    def _write_one(self, body: bytes, lines: int) -> None:
        place = b"%010d" % self._line
        if lines > 1:
            place += b"+%d" % lines
            for there, here in _BREAKS:
                body = body.replace(there, here)
            self._has_breaks = True
        self._file.write(place + self._layout.mark.encode() + body + b"\n")
        self._records += 1

    def _reject(self, piece: Piece, body: bytes, lines: int, reason: str) -> None:
        text = body[:_KEPT].replace(b"\0", rb"\0").decode("utf-8", "backslashreplace")
        if piece.size > _KEPT:
            place = f"bytes {self._byte + 1} to {self._byte + piece.size} of the file"
            text = f"{text[:_BEGINNING]} {CUT}: {place})"
        self._rejects.append((self._line, text, reason, lines))
        self._reject_count += 1

    def _hand_over(self) -> None:
        if self._rejects:
            columns = [pa.array(column) for column in zip(*self._rejects)]
            self._keep(pa.table(columns, schema=REJECTS))
            self._rejects = []

    def _reason(self, piece: Piece, body: bytes, lines: int) -> str:
        """Return what is wrong with a record; nothing if nothing is."""
        opens = self._line + _breaks(body[: piece.opens])
        if piece.fault == "open":
            return f"a quote opens in line {opens} and is never closed"
        if piece.fault == "stray":
            until = f"up to line {self._line + lines - 1} " if lines > 1 else ""
            return f"a quote opens in line {opens} and {until}none closes it at a value's end"
        if piece.size + 2 * lines > LONGEST:
            return f"it is {piece.size:,} bytes long; {LONGEST:,} at most are read"
        if _TORN.search(body) or (b"\0" in body and self._names is None):
            return "it holds NULs, the byte 0; take them out"
        if not _is_utf_8(body):
            return "it is not UTF-8; export the file as UTF-8"
        if any(here in body for _, here in _BREAKS):
            return "it holds U+FDD0 or U+FDD1, which are no characters; take them out"
        return self._row_fault(body, lines, opens) if piece.is_one else ""

    def _row_fault(self, body: bytes, lines: int, opens: int) -> str:
        """Return what is wrong with a row of several lines: too many, or some are rows themselves."""
        remedy = f"{_CLOSE_IT} `row_lines: {lines}` beside `files:` if it is one text"
        if lines > (self._layout.row_lines or _ROW_LINES):
            return f"a quote that opens in line {opens} makes one row of {lines} lines{remedy}"
        shape = (body, self._layout.mark, len(self._names or ()))
        what = f"a quote that opens in line {opens} makes one row of {lines} lines"
        if holds_a_row(*shape):
            mend = "close it, or take the line breaks out of the text if it is one"
            return f"{what}, of which one is a row by its values; {mend}"
        if not self._layout.row_lines and looks_like_rows(*shape):
            return f"{what} that look like rows themselves{remedy}"
        return ""


def _is_ended(text: bytes) -> bool:
    return text.endswith((b"\n", b"\r"))


def _is_usual(text: bytes) -> bool:
    """Return whether each line of a text can be copied as it is."""
    lines = text.splitlines()
    odd = (b"\0", *(here for _, here in _BREAKS))
    return (
        _is_utf_8(text)
        and not any(each in text for each in odd)
        and max(map(len, lines)) <= LONGEST
        and all(map(bytes.strip, lines))
    )


def _is_utf_8(text: bytes) -> bool:
    try:
        return bool(text.isascii() or text.decode("utf-8"))
    except UnicodeDecodeError:
        return False


# A NUL behind a letter or a digit, by itself, is noise in a text, and takes nothing else with it: it opens no
# value and no quote. Several together are what a torn write or another encoding leaves.
_TORN = re.compile(rb"\0[^\0]?\0|(?<![0-9A-Za-z\x80-\xff])\0")


def _breaks(text: bytes) -> int:
    """Return how many lines end in a text."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
