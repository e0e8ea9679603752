"""Tell a text that goes on over lines from rows that a quote has swallowed.

A quote that is not closed in its row goes on to the next one, in whatever row that is: by RFC 4180
the rows between are a text then. Such a record begins and ends with a line that has all values of a
row, as `2026-10-01,"brand,1.50` and `2026-10-04,other",2.00`, or has whole rows inside.
"""

import re
from functools import cache


def looks_like_rows(record: bytes, mark: str, width: int) -> bool:
    """Return whether lines of a record have as many values as a row of the file."""
    if record.count(mark.encode()) < 2 * (width - 1):
        return False
    first, *inner, last = (_width(line, mark) for line in record.splitlines())
    return min(first, last) >= width or inner.count(width) > 1


def _width(line: bytes, mark: str) -> int:
    return _quoted(mark).sub(b"", line).count(mark.encode()) + 1


@cache
def _quoted(mark: str) -> re.Pattern[bytes]:
    """Return the pattern of a value in quotes that are closed in its line."""
    by = re.escape(mark.encode())
    return re.compile(rb'(?:(?<=%b)|\A) *"[^"]*(?:""[^"]*)*" *(?=%b|\Z)' % (by, by))
