"""Read the header of a CSV file: its delimiter and its names."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.batches import ExportError
from pipelines.sources.files.header_lines import Head, find
from pipelines.sources.files.line_beginnings import skipping
from pipelines.sources.files.physical_lines import BLOCK, blocks
from pipelines.sources.files.unreadable import is_known, not_a_text
from pipelines.sources.files.wanted_names import Wanted


class Header(NamedTuple):
    """How a file's header is read: the names that matter find it, and must be there once."""

    path: Path
    wanted: Wanted
    skip: Sequence[str] = ()

    def found(self) -> Head:
        """Return where the header is. Raise ExportError if it never ends, or rows seem to be above it."""
        head = find(next(blocks(self.path), b""), self.wanted, self.skip)
        if len(head.line) > BLOCK // 2 and b"\0" not in head.line:
            reason = f"its first line goes on for {len(head.line):,} bytes and more"
            raise ExportError(f"{reason}; export it with a line end after each row", self.path)
        self._text(head.line, head.above + 1)
        if head.is_whole and head.rows:
            raise self._rows_above(head)
        return head

    def names(self, line: bytes, head: Head) -> list[str]:
        """Return the names in a header. Raise ExportError if one that is read is there twice."""
        text = self._text(line, head.above + 1)
        try:
            row = next(csv.reader([text], delimiter=head.mark), [])
        except csv.Error as error:
            raise not_a_text(self.path, line, error) from None
        names = [name.strip() for name in row]
        if not self.wanted.found(names) and is_known(line):
            raise not_a_text(self.path, line, ValueError())
        if twice := {name for name in names if names.count(name) > 1} & self._read(names):
            raise ExportError(
                f"column {', '.join(sorted(twice))} is there twice, and it is read; have the export call"
                " one of them otherwise, or leave it out",
                self.path,
            )
        return names

    def _read(self, names: list[str]) -> set[str]:
        """Return the columns that are read: by their very names, or as one that must be there."""
        meant = self.wanted.meant(names)
        return (self.wanted.names & {*names}) | {each for its in meant.values() for each in its}

    def _rows_above(self, head: Head) -> ExportError:
        lines = f"line{'s' if head.rows[1:] else ''} {', '.join(str(line) for line, _ in head.rows[:3])}"
        more = f" and {len(head.rows) - 3} more" if head.rows[3:] else ""
        return ExportError(
            f"its header seems to be line {head.above + 1}, as it is the first to hold all names that are read, but"
            f" {lines}{more} above it may be rows: if several tables were joined into this file, deliver each by"
            " itself, or have the export leave out what is above the header",
            self.path,
            remedies=skipping(self.skip, [text for _, text in head.rows]),
        )

    def _text(self, line: bytes, number: int) -> str:
        try:
            if b"\0" in line:
                raise UnicodeError("it holds NULs")
            return line.decode("utf-8")
        except UnicodeError as error:
            raise not_a_text(self.path, line, error, number) from None


def each_once(names: Sequence[str], wanted: Wanted) -> list[str]:
    """Return names, with a number behind each that several columns have and that may be read: none of them is."""
    twice = {name for name in wanted.held(names) if names.count(name) > 1}
    return [
        f"{name} #{names[: place + 1].count(name)}" if name in twice else name
        for place, name in enumerate(names)
    ]
