"""Find the header of a CSV file: the first line that holds all the names that must be there.

Titles may stand above it, blank lines, or `sep=;`, which names the mark between values to Excel. What
stands above it and looks like rows is asked about: it may be another table.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.sources.files.line_beginnings import begins
from pipelines.sources.files.wanted_names import Wanted, plain

MARKS = ",;\t|"
_LINES = 100  # titles are not more
_LETTERS = 100_000  # of a line
_MOST_BREAKS = 10  # in a header
_SEP = re.compile(r"""\"?sep=([^\w\s"'])\"?""", re.IGNORECASE)


class Head(NamedTuple):
    """Where a header is: how many lines are above it, its own line, and the mark between its values.

    `titles` are lines above it that are not blank. Whether it `is_whole` tells that it holds all the
    names that must be there; `rows` are the lines above it that look like rows, each with its number.
    """

    above: int
    line: bytes
    mark: str
    titles: int = 0
    is_whole: bool = False
    rows: Sequence[tuple[int, str]] = ()


def find(beginning: bytes, wanted: Wanted, skip: Sequence[str] = ()) -> Head:
    """Return the header in the beginning of a file; the first line that is not blank if none is whole.

    Of lines that are none the one counts that holds the most names, if those are far more. One that begins
    as the client's file says that no data do is none.
    """
    lines = [line[:_LETTERS] for line in beginning.splitlines()[:_LINES]]
    sep = next((_SEP.fullmatch(text) for _, text in _texts(lines)), None)
    marks = f"{sep[1]}{MARKS}" if sep else MARKS
    best: tuple[int, int, str] | None = None
    for number, text in _records(lines, wanted):
        if (sep and text == sep[0]) or begins(text, skip):
            continue
        mark = mark_of(text, wanted, marks)
        held = len(wanted.found(values(text, mark)))
        if best is None or held > max(1, 2 * best[0]):
            best = held, number, mark
        if wanted.is_whole(values(text, mark)):
            return _head(beginning, lines, number, mark, wanted, skip)
    if best is None:
        return Head(0, b"", MARKS[0])
    return _head(beginning, lines, best[1], best[2], wanted, skip)


def _records(lines: Sequence[bytes], wanted: Wanted) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, each with its place; one in which a quote goes on, with the lines it takes.

    It takes them if the whole holds as many names as they do: a title may have a single quote.
    """
    until = 0
    for place, text in _texts(lines):
        if place < until:
            continue
        for end in range(place + 1, min(place + _MOST_BREAKS, len(lines))):
            if text.count('"') % 2 == 0:
                break
            joined = "\n".join(map(_decoded, lines[place : end + 1]))
            if joined.count('"') % 2 == 0:
                rest = max(_names_held(_decoded(line), wanted) for line in lines[place : end + 1])
                if _names_held(joined, wanted) >= rest:
                    text, until = joined, end + 1
                break
        yield place, text


def _names_held(text: str, wanted: Wanted) -> int:
    """Return how many names that are read a line holds, by the mark that yields the most."""
    return len(wanted.found(values(text, mark_of(text, wanted))))


def _head(
    beginning: bytes,
    lines: list[bytes],
    number: int,
    mark: str,
    wanted: Wanted,
    skip: Sequence[str],
) -> Head:
    header = values(dict(_records(lines, wanted))[number], mark)
    above = [*_texts(lines[:number])]
    needed = set(map(plain, wanted.needed.union(*wanted.choices)))
    places = [place for place, name in enumerate(header) if plain(name) in needed]
    asked = [(place, text) for place, text in above if not begins(text, skip)]
    rows = _below_another_header(asked, mark, wanted) or [
        each for each in asked if _is_row(values(each[1], mark), places, len(header))
    ]
    numbered = [(place + 1, text) for place, text in rows]
    line = beginning.splitlines()[number]
    return Head(number, line, mark, len(above), wanted.is_whole(header), numbered)


def _below_another_header(
    above: Sequence[tuple[int, str]], mark: str, wanted: Wanted
) -> Sequence[tuple[int, str]]:
    """Return the lines below one that holds half of the names that must be there: rows of those."""
    for at, (_, text) in enumerate(above):
        held = wanted.answered(values(text, mark))
        if held > 1 and 2 * held >= wanted.asked:
            return above[at + 1 :]
    return []


def _is_row(found: Sequence[str], places: Sequence[int], width: int) -> bool:
    """Return whether the values of a line may be a row: there is one for each name, and a number among them."""
    if len(found) < width or width < 2:
        return False
    needed = [found[place] for place in places]
    return bool(needed) and all(needed) and any(map(str.isdigit, "".join(needed)))


def mark_of(text: str, wanted: Wanted, marks: str = MARKS) -> str:
    """Return the delimiter of a header: the one that yields the most names that are read."""
    return max(marks, key=lambda mark: _yield(values(text, mark), wanted))


def _yield(names: list[str], wanted: Wanted) -> tuple[int, int]:
    return len(wanted.found(names)), len(names)


def values(text: str, mark: str) -> list[str]:
    """Return the values of a line, without blanks around them; none of one that is no CSV."""
    try:  # to a delimiter that it has not, a long header is one field, too long a one
        return [value.strip() for value in next(csv.reader([text], delimiter=mark), [])]
    except csv.Error:
        return []


def _texts(lines: Sequence[bytes]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, each with its place."""
    for place, line in enumerate(lines):
        if text := _decoded(line).strip():
            yield place, text


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")
