"""Cut a text file into records: a line each, but in CSV a value in quotes may go on over lines.

By RFC 4180 a quote opens a value only where a value begins, and closes it only before a delimiter
or a line end; blanks may stand around the quotes. Anything else is a fault, which ends with its line.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from functools import cache
from typing import NamedTuple

REACH = 16 << 20  # bytes in which a line must end, and in which a quote must close

_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a \r at the end may be half of \r\n


class Piece(NamedTuple):
    """A part of a file: many records of a line each; one record over several lines; or a fault.

    `size` is its length in the file. The quote that opens the value over several lines, or the
    one that is at fault, is at `opens`.
    """

    text: bytes
    size: int
    is_one: bool = False
    fault: str = ""
    opens: int = 0


class Unclosed(Exception):
    """A quote that is not closed within reach: `before` is the record as far as that quote."""

    def __init__(self, before: bytes) -> None:
        super().__init__()
        self.before = before


class Grammar(NamedTuple):
    """What is right in CSV of one delimiter: whole lines, and what a record may be made of."""

    lines: re.Pattern[bytes]
    record: re.Pattern[bytes]
    values_in_line: re.Pattern[bytes]
    values: re.Pattern[bytes]
    opened: re.Pattern[bytes]


@cache
def grammar(mark: str) -> Grammar:
    """Return the patterns for a delimiter; none of them ever goes back over what it has read.

    Groups are atomic, `(?>(?:…)*)`, not possessive, `(?:…)*+`: Python before 3.11.5 matches these wrongly.
    """
    by = re.escape(mark.encode())
    any_, in_line = rb'[^"]*+', rb'[^"\r\n]*+'

    def value(inside: bytes) -> bytes:
        quoted = rb' *+"%b(?>(?:""%b)*)" *+(?=[%b\r\n]|\Z)' % (inside, inside, by)
        return rb'(?:%b|(?! *+")[^%b\r\n]*+)' % (quoted, by)

    def row(inside: bytes) -> bytes:
        return rb"%b(?>(?:%b%b)*)" % (value(inside), by, value(inside))

    return Grammar(
        lines=re.compile(rb"(?>(?:%b(?:\r\n|\r|\n))*)" % row(in_line)),
        record=re.compile(rb"%b(?:\r\n|\r|\n|\Z)" % row(any_)),
        values_in_line=re.compile(rb"(?>(?:%b%b)*)" % (value(in_line), by)),
        values=re.compile(rb"(?>(?:%b%b)*)" % (value(any_), by)),
        opened=re.compile(rb' *+"%b(?>(?:""%b)*)' % (any_, any_)),
    )


def pieces(blocks: Iterable[bytes], rules: Grammar | None) -> Iterator[Piece]:
    """Yield the pieces of a file in their order; without rules every line is a record.

    Raise Unclosed if a quote is not closed within reach.
    """
    rest, skipped, head = b"", 0, b""
    for block in blocks:
        rest += block
        if skipped:
            end = _END.search(rest)
            size = end.end() if end else len(rest) - rest.endswith(b"\r")
            skipped, rest = skipped + size, rest[size:]
            if not end:
                continue
            yield Piece(head, skipped, fault="long")
            skipped = 0
        whole = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1
        used = yield from _cut(rest[:whole], rules, is_last=False)
        rest = rest[used:]
        if len(rest) > REACH:
            if used < whole and rules:
                raise Unclosed(rest[: _end(rules.values, rest, 0)])
            skipped, head, rest = len(rest) - 1, rest[:100_000], rest[-1:]
    if skipped:
        yield Piece(head, skipped + len(rest), fault="long")
    else:
        yield from _cut(rest, rules, is_last=True)


def _cut(text: bytes, rules: Grammar | None, is_last: bool) -> Generator[Piece, None, int]:
    """Yield the pieces of a text that ends with a line; return where a record begins that goes on."""
    if not rules or b'"' not in text:
        if text:
            yield Piece(text, len(text))
        return len(text)
    at = 0
    while at < len(text):
        end = _end(rules.lines, text, at)
        if end > at:
            yield Piece(text[at:end], end - at)
        elif record := rules.record.match(text, at):
            end = record.end()
            yield _record(rules, text[at:end])
        elif piece := _fault(rules, text, at, is_last):
            yield piece
            end = at + piece.size
        else:
            return at
        at = end
    return at


def _record(rules: Grammar, text: bytes) -> Piece:
    opens = _end(rules.values_in_line, text, 0)
    return Piece(text, len(text), is_one=len(text.splitlines()) > 1, opens=opens)


def _fault(rules: Grammar, text: bytes, at: int, is_last: bool) -> Piece | None:
    """Return the record with a quote at fault; None if the text ends before that is known."""
    opens = _end(rules.values, text, at)
    stray = _end(rules.opened, text, opens)
    if stray == len(text):
        fault = Piece(text[at:], len(text) - at, fault="open", opens=opens - at)
        return fault if is_last else None
    line = _END.search(text, stray)
    end = line.end() if line else len(text)
    return Piece(text[at:end], end - at, fault="stray", opens=opens - at)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Return where what the pattern matches ends; it must match, if only nothing."""
    found = pattern.match(text, at)
    assert found, pattern
    return found.end()
