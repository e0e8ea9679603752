"""Tell a line that is a header from one that is a row: the file's own again, or another one."""

from collections.abc import Collection, Set
from typing import NamedTuple

from pipelines.sources.files.header_lines import MARKS, values
from pipelines.sql import BLANKS

AROUND = f'{BLANKS}\ufeff"'  # a byte order mark stands before the header of each file that has one
_LONGEST_NAME = 60


class Line(NamedTuple):
    """A line that may be a header: its values, and as which row it was read, if it was."""

    number: int
    values: list[str]
    row: int | None = None


class Header(NamedTuple):
    """A file's own header, in plain letters, and which of its names are read."""

    names: list[str]
    read: Set[str]

    def is_same(self, line: Line) -> bool:
        """Return whether a row holds the same names in the same order."""
        return line.row is not None and plain(line.values) == self.names

    def is_other(self, line: Line) -> bool:
        """Return whether a line is a header, but another one: by half of the names, or by words alone.

        `Date;Campaign;Spend` has no name of `spend_date;campaign_id;cost`, and is one all the same.
        """
        found = plain(line.values)
        held = len(self.read & set(found))
        are_words = all(map(_is_name, found)) and len(set(found)) == len(found) > 1
        if line.row is None:
            return held > 1 and 2 * held >= len(self.read)
        return are_words or (
            held > 1
            and 2 * held >= min(len(self.read), len([*filter(None, found)]))
            and not any(map(_is_numeric, found))
        )


def cells(content: str, read: Set[str]) -> list[str]:
    """Return the values of a line by the delimiter that yields the most names that are read."""
    readings = [found for mark in MARKS if (found := values(content, mark))]
    return max(readings, key=lambda found: len(read & set(plain(found))), default=[])


def plain(names: Collection[str]) -> list[str]:
    """Return names without capitals, and without what stands around them; empty ones at the end are none."""
    found = [name.strip(AROUND).lower() for name in names]
    while found and not found[-1]:
        found.pop()
    return found


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and not any(map(str.isdigit, text))


def _is_numeric(text: str) -> bool:
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))
