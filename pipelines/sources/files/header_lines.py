"""Find the line of a CSV file that is its header, for messages: titles may stand above it."""

import csv
import gzip
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.batches import ExportError

MARKS = ",;\t|"
_LINES = 50  # titles are not longer
_LETTERS = 100_000  # of a line


class Line(NamedTuple):
    """A line of a file, and which of the names that are read it holds."""

    number: int
    text: str
    names: list[str]


def refuse_titles(path: Path, header: Collection[str], wanted: Collection[str]) -> None:
    """Raise ExportError if not the header holds the names that are read, but a line below it."""
    there = len(set(header) & set(wanted))
    best = max(_lines(path, wanted), key=lambda line: len(line.names), default=Line(1, "", []))
    if best.number > 1 and len(best.names) > max(1, 2 * there):
        first = next(line.text for line in _lines(path, wanted)).strip()
        was = f"line 1 is '{_cut(first)}'" if first else "line 1 is empty"
        raise ExportError(
            f"{was}, and the header seems to be line {best.number}: it holds"
            f" {', '.join(best.names)}. No setting skips lines: have the export leave out what is"
            f" above the header, or take it out: tail -n +{best.number} {path.name}",
            path,
        )


def mark_of(text: str, wanted: Collection[str]) -> str:
    """Return the delimiter of a header: the one that yields the most names that are read."""
    return max(MARKS, key=lambda mark: _yield(text, mark, wanted))


def _yield(text: str, mark: str, wanted: Collection[str]) -> tuple[int, int]:
    try:
        names = values(text, mark)
    except csv.Error:  # to a delimiter that it has not, a long header is one field, too long a one
        return 0, 0
    return len(set(names) & set(wanted)), len(names)


def values(text: str, mark: str) -> list[str]:
    """Return the values of a line, without blanks around them."""
    return [value.strip() for value in next(csv.reader([text], delimiter=mark), [])]


def _lines(path: Path, wanted: Collection[str]) -> list[Line]:
    """Return the first lines of a file."""
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        heads = list(islice(iter(lambda: file.readline(_LETTERS), b""), _LINES))
    lines = []
    for number, head in enumerate(heads, 1):
        text = head.decode("utf-8-sig", errors="replace").rstrip("\r\n")
        found = max((_held(text, mark, wanted) for mark in MARKS), key=len)
        lines.append(Line(number, text, found))
    return lines


def _held(text: str, mark: str, wanted: Collection[str]) -> list[str]:
    """Return the names that are read of those that a line holds, read by a delimiter."""
    try:
        return [name for name in values(text, mark) if name in wanted]
    except csv.Error:
        return []


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
