"""Read a sheet of an Excel workbook: each row becomes a line of CSV, each value a text as it is shown.

A column of numbers is known as such. Where numbers lie beside texts that are some, in one column, they are
written with the decimal mark that such texts have by the client's file. One with more digits than Excel keeps is written as 1.2E+17, which
no column takes for an id.
"""

import csv
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from pipelines.settings.ready_made import formats
from pipelines.sources.batches import ExportError, Reading, Remedy
from pipelines.sources.yaml_texts import scalar

if TYPE_CHECKING:
    from openpyxl import Workbook

_KEPT_DIGITS = 10**15  # Excel keeps 15 digits of a number
_LIKE_A_NUMBER = re.compile(r"\W*(?:[^\W\d]{1,3}\W*)?\d[\d.,'\u2019\s]*\W*(?:[^\W\d]{1,3}\W*)?")
_FIRST_ROWS = 50  # among which the header is


def write_csv(reading: Reading, target: Path) -> None:
    """Write the sheet that holds the names that are read. Raise ExportError if none or several do."""
    numbers, cells = reading.export.numbers, _Cells()
    book = _opened(reading.path)
    try:
        name = _sheet(reading, book)
        width = max((len(row) for row in _top(book, name)), default=0)
        _write(target, _rows(book, name, cells), width)
        if numbers and numbers.decimal != "." and cells.mixed:
            _write(target, _rows(book, name, _Cells(numbers.decimal, cells.mixed)), width)
        reading.number_places.update(cells.numbers - cells.texts)
    finally:
        book.close()


class _Cells:
    """What lies in the columns of a sheet: numbers, or texts that look like some. In those of both, `mixed`,
    numbers are written with a decimal mark."""

    def __init__(self, decimal: str = ".", mixed: Collection[int] = ()) -> None:
        self.numbers, self.texts = set[int](), set[int]()
        self._decimal, self._written_so = decimal, mixed

    @property
    def mixed(self) -> set[int]:
        """Return the columns of numbers and texts that look like some."""
        return self.numbers & self.texts

    def shown(self, place: int, cell: Any) -> str:
        """Return a cell's value as a text, and note what it is."""
        value = cell.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.add(place)
        elif isinstance(value, str) and place not in self.texts and _LIKE_A_NUMBER.fullmatch(value):
            self.texts.add(place)
        return _shown(value, cell, self._decimal if place in self._written_so else ".")


def _write(target: Path, rows: Iterable[list[str]], width: int) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        for row in rows:
            lines.writerow(row and row + [""] * (width - len(row)))


def tops(path: Path) -> dict[str, list[list[str]]]:
    """Return the first rows of each sheet. Raise ExportError if it is no workbook."""
    book = _opened(path)
    try:
        return {sheet.title: list(_top(book, sheet.title)) for sheet in book.worksheets}
    finally:
        book.close()


def _opened(path: Path) -> "Workbook":
    from openpyxl import load_workbook  # here, as it takes a quarter of a second
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings(action="ignore"):  # of styles that it does not know
            return load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        reason = f"it is no Excel workbook, or it is torn ({error}); deliver it again"
        raise ExportError(reason, path) from None


def _sheet(reading: Reading, book: "Workbook") -> str:
    """Return which sheet is read: the one that the client's file names, or that has the header."""
    names, wanted = [sheet.title for sheet in book.worksheets], reading.export.table
    if wanted in names:
        return wanted
    held = {name: _names_held(reading, book, name) for name in names}
    most = max(held.values(), default=0)
    best = [name for name in names if held[name] == most]
    if wanted:
        reason = f"there is no sheet '{wanted}' in it"
        raise ExportError(reason, reading.path, remedies=_remedies(best))
    if len(best) == 1:
        return best[0]
    if not most:
        return names[0]  # whose header will be said to lack the names
    if (
        reading.export.is_ready_made
        and (raw := formats()[str(reading.export.format)].sheet) in best
    ):
        return raw
    reason = f"{len(best)} sheets have the columns that are read, and nothing says which it is"
    raise ExportError(reason, reading.path, remedies=_remedies(best))


def _remedies(sheets: Sequence[str]) -> list[Remedy]:
    return [Remedy(f"table: {scalar(name)}", meaning="it is that one") for name in sheets]


def _names_held(reading: Reading, book: "Workbook", name: str) -> int:
    """Return the most names that are read which a row at the top of a sheet holds."""
    top = _top(book, name)
    return max((len(reading.wanted.found(map(str.strip, row))) for row in top), default=0)


def _top(book: "Workbook", name: str) -> Iterator[list[str]]:
    return islice(_rows(book, name, _Cells()), _FIRST_ROWS)


def _rows(book: "Workbook", name: str, seen: _Cells) -> Iterator[list[str]]:
    """Yield the rows of a sheet, without empty values at their ends."""
    sheet = book[name]
    sheet.reset_dimensions()  # many programs write none, or a wrong one, by which rows are cut off
    for cells in sheet.iter_rows():
        row = [seen.shown(place, cell) for place, cell in enumerate(cells)]
        while row and not row[-1]:
            row.pop()
        yield row


def _shown(value: Any, cell: Any, decimal: str) -> str:
    """Return a value as a text."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float() if abs(value) >= _KEPT_DIGITS:
            return f"{value:.14E}"
        case float():
            return (str(int(value)) if value.is_integer() else repr(value)).replace(".", decimal)
        case datetime() if _is_a_day(value, cell.number_format):
            return value.date().isoformat()
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
    return str(value)


def _is_a_day(value: datetime, shown_as: str) -> bool:
    """Return whether a cell shows a day, and no hour: Excel keeps a day as its midnight."""
    return value.time() == time() and "h" not in shown_as.lower()
