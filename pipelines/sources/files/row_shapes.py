"""Tell a text that goes on over lines from rows that a quote has swallowed.

A quote that is not closed in its row goes on to the next one, in whatever row that is: by RFC 4180
the rows between are a text then. Such a record begins and ends with a line that has all values of a
row, as `2026-10-01,"brand,1.50` and `2026-10-04,other",2.00`, or has whole rows inside. Or a line
of it is a row of its own by its values, too: where `2026-10-01,7,"brand` was cut and
`2026-10-02,8,other",2.00` comes next, the two make one row with the cost of the second.
"""

import re
from collections.abc import Iterator
from functools import cache

_NUMERIC = re.compile(rb"[^\w\s]*\d[\d\s.,:/'%+TZ()-]*")  # a number, a day, a time
_DAY = re.compile(rb"\d{1,4}([-/.])\d{1,2}\1\d{2,4}(?!\d)")
_CODE = re.compile(rb"\S*[\d@]\S*")  # such as c-17 or anna@example.org


def looks_like_rows(record: bytes, mark: str, width: int) -> bool:
    """Return whether lines of a record may be rows of the file, by the number of their values."""
    if any(_evidence(record, mark, width)):
        return True
    if record.count(mark.encode()) < 2 * (width - 1):
        return False
    first, *inner, last = (len(_values(line, mark)) for line in record.splitlines())
    return min(first, last) >= width or inner.count(width) > 1


def holds_a_row(record: bytes, mark: str, width: int) -> bool:
    """Return whether a line of a record is a row of its own: its values are alike in kind.

    It takes a day where the record has a day, or two values such as numbers or codes.
    """
    found = _evidence(record, mark, width)
    return any(len(alike) > 1 or any(map(_DAY.match, alike)) for alike in found)


def _evidence(record: bytes, mark: str, width: int) -> Iterator[list[bytes]]:
    """Yield of each line that may be a row its values that are alike in kind to the record's.

    Only those count that lie inside of the text in quotes: the others are the record's own.
    """
    own = _values(record, mark)
    lines = record.splitlines()
    texts = [place for place, value in enumerate(own) if value is None]
    if len(own) != width or not texts:
        return
    for number, line in enumerate(lines):
        if line.count(mark.encode()) < width - 1 or len(values := _values(line, mark)) != width:
            continue
        begins = texts[0] + 1 if number == 0 else 0
        ends = texts[-1] if number == len(lines) - 1 else width
        pairs = [(a, b) for a, b in zip(own[begins:ends], values[begins:ends]) if a and b]
        if all(_NUMERIC.fullmatch(value) for one, value in pairs if _NUMERIC.fullmatch(one)):
            yield [value for one, value in pairs if _is_code(one) and _is_code(value)]


def _is_code(value: bytes) -> bool:
    return bool(_NUMERIC.fullmatch(value) or _CODE.fullmatch(value))


def _values(text: bytes, mark: str) -> list[bytes | None]:
    """Return the values of a line or a record; None for one in quotes that holds a mark or a break."""
    by = mark.encode()
    texts = _quoted(mark).sub(lambda found: _plain(found[0], by), text)
    return [None if value == _TEXT else value.strip(b' "') for value in texts.split(by)]


_TEXT = b"\0"  # no record that is read has one


def _plain(value: bytes, by: bytes) -> bytes:
    return _TEXT if by in value or len(value.splitlines()) > 1 else value


@cache
def _quoted(mark: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes that are closed in its line."""
    by = re.escape(mark.encode())
    return re.compile(rb'(?:(?<=%b)|\A) *"[^"]*(?:""[^"]*)*" *(?=%b|\Z)' % (by, by))
