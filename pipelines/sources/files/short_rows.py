"""Fill rows that end before their last columns: programs leave out what is empty at the end of a row.

What is missing has to be nothing that a row must have, and less than half of its values. A last line that
nothing ends is not filled: it may be what is left of a row where a file was cut.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipelines.sources.files.wanted_names import Wanted, plain

_QUOTED = re.compile(rb'"[^"]*"')
_QUOTED_IN_LINE = re.compile(rb'"[^"\r\n]*"')


class Filling(NamedTuple):
    """How many values a row has, and how many it must have, at the least."""

    mark: bytes
    width: int
    least: int

    def filled(self, text: bytes, lines: list[bytes]) -> int:
        """Fill the short ones of the lines of a text, each of which is a row; return how many there were."""
        bare = _QUOTED_IN_LINE.sub(b"", text).splitlines() if b'"' in text else lines
        most = self.width - 1
        short = [at for at, line in enumerate(bare) if line.count(self.mark) < most]
        count = 0
        for at in short:
            lacking = most - bare[at].count(self.mark)
            if self.width - lacking >= self.least:
                lines[at] += self.mark * lacking
                count += 1
        return count

    def lacking(self, record: bytes) -> int:
        """Return how many values a record of one line or more lacks; none if it may not be filled."""
        found = _QUOTED.sub(b"", record).count(self.mark) + 1
        return self.width - found if self.least <= found < self.width else 0


def filling(mark: str, names: Sequence[str], wanted: Wanted) -> Filling:
    """Return how rows below a header are filled."""
    must = {plain(name) for name in wanted.valued}
    last = max((place for place, name in enumerate(names) if plain(name) in must), default=0)
    return Filling(mark.encode(), len(names), max(2, last + 1, (len(names) + 1) // 2))
