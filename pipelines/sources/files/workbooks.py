"""Read a sheet of an Excel workbook: each row becomes a line of CSV, each value a text as it is shown.

Numbers are written with the decimal mark that the client's file says its texts have, as they lie
beside such texts in one column. One with more digits than Excel keeps is written as 1.2E+17, which
no column takes for an id.
"""

import csv
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from pipelines.sources.batches import ExportError, Reading, Remedy
from pipelines.sources.yaml_texts import scalar

if TYPE_CHECKING:
    from openpyxl import Workbook

_KEPT_DIGITS = 10**15  # Excel keeps 15 digits of a number
_FIRST_ROWS = 50  # among which the header is


def write_csv(reading: Reading, target: Path) -> None:
    """Write the sheet that holds the names that are read. Raise ExportError if none or several do."""
    numbers = reading.export.numbers
    book = _opened(reading.path)
    try:
        name = _sheet(reading, book)
        width = max((len(row) for row in _top(book, name)), default=0)
        with target.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            for row in _rows(book, name, numbers.decimal if numbers else "."):
                lines.writerow(row and row + [""] * (width - len(row)))
    finally:
        book.close()


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
    reason = f"{len(best)} sheets have the columns that are read, and nothing says which it is"
    raise ExportError(reason, reading.path, remedies=_remedies(best))


def _remedies(sheets: Sequence[str]) -> list[Remedy]:
    return [Remedy(f"table: {scalar(name)}", meaning="it is that one") for name in sheets]


def _names_held(reading: Reading, book: "Workbook", name: str) -> int:
    """Return the most names that are read which a row at the top of a sheet holds."""
    top = _top(book, name)
    return max((len(reading.wanted.found(map(str.strip, row))) for row in top), default=0)


def _top(book: "Workbook", name: str) -> Iterator[list[str]]:
    return islice(_rows(book, name, "."), _FIRST_ROWS)


def _rows(book: "Workbook", name: str, decimal: str) -> Iterator[list[str]]:
    """Yield the rows of a sheet, without empty values at their ends."""
    sheet = book[name]
    sheet.reset_dimensions()  # many programs write none, or a wrong one, by which rows are cut off
    for cells in sheet.iter_rows():
        row = [_shown(cell.value, cell, decimal) for cell in cells]
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
