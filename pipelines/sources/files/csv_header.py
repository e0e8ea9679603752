"""Read the header of a CSV file: its delimiter and its names."""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.batches import ExportError
from pipelines.sources.files import header_lines
from pipelines.sources.files.physical_lines import BLOCK, blocks
from pipelines.sources.files.unreadable import is_known, not_a_text


class Header(NamedTuple):
    """How a file's header is read: the names that matter choose the delimiter, and must be there once."""

    path: Path
    wanted: Collection[str]

    def first_line(self) -> bytes:
        """Return the first line that is not blank. Raise ExportError if it never ends."""
        text = next(blocks(self.path), b"")
        line = next(filter(bytes.strip, text.splitlines()), b"")
        if len(line) > BLOCK // 2 and b"\0" not in line:
            reason = f"its first line goes on for {len(line):,} bytes and more"
            raise ExportError(f"{reason}; export it with a line end after each row", self.path)
        return line

    def mark(self, line: bytes) -> str:
        """Return the delimiter that yields the most names that are read."""
        try:
            return header_lines.mark_of(self._text(line), self.wanted)
        except (UnicodeError, csv.Error) as error:
            raise not_a_text(self.path, line, error) from None

    def names(self, line: bytes, mark: str) -> list[str]:
        """Return the names in a header. Raise ExportError if one that is read is there twice."""
        try:
            names = header_lines.values(self._text(line), mark)
        except (UnicodeError, csv.Error) as error:
            raise not_a_text(self.path, line, error) from None
        if not set(names) & set(self.wanted) and is_known(line):
            raise not_a_text(self.path, line, ValueError())
        header_lines.refuse_titles(self.path, names, self.wanted)
        if twice := {name for name in names if name in self.wanted and names.count(name) > 1}:
            raise ExportError(
                f"column {', '.join(sorted(twice))} is there twice, and it is read; have the export call"
                " one of them otherwise, or leave it out",
                self.path,
            )
        return names

    @staticmethod
    def _text(line: bytes) -> str:
        if b"\0" in line:
            raise UnicodeError("it holds NULs")
        return line.decode("utf-8")
