"""Write a CSV file whose quotes stand behind backslashes, as MySQL and Redshift write it, as others do.

`\\"` is a quote there, `\\,` a comma that ends no value, `\\N` alone nothing, and a line break behind a
backslash ends no row. In the copy a value that needs quotes has them, and a quote in it is doubled.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.sources.batches import ExportError, Reading
from pipelines.sources.files.numbered_copy import LONGEST
from pipelines.sources.files.physical_lines import blocks
from pipelines.sql import only_row

_NOTHING = "\ue000\\N"  # in the text that is parsed, for \N: no file has it
_AS = {"n": "\\\n", "t": "\\\t", "r": "\\\r", "0": "", "N": "\ue000\\\\N"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def with_doubled_quotes(reading: Reading, mark: str) -> Reading:
    """Return how the copy of a file is read."""
    (folder,) = only_row(reading.connection.execute("SELECT current_setting('temp_directory')"))
    target = Path(folder, "doubled.csv")
    target.parent.mkdir(parents=True, exist_ok=True)
    reading.open_files.callback(target.unlink, missing_ok=True)
    before = csv.field_size_limit(LONGEST)
    try:
        with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = csv.reader(_lines(reading.path), delimiter=mark, escapechar="\\")
            copy = csv.writer(file, delimiter=mark, lineterminator="\n")
            for row in lines:
                copy.writerow(["" if value == _NOTHING else value for value in row])
    except csv.Error as error:
        said = f"line {lines.line_num} has quotes that backslashes do not explain: {error}"
        raise ExportError(f"{said}; correct it", reading.path) from None
    finally:
        csv.field_size_limit(before)
    return reading._replace(path=target)


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file, each escape as Python's reader of CSV takes it."""
    rest = b""
    for block in blocks(path):
        *whole, rest = (rest + block).split(b"\n")
        yield from map(_line, whole)
    if rest:
        yield _line(rest)


def _line(line: bytes) -> str:
    text = line.removesuffix(b"\r").decode("utf-8", "surrogateescape") + "\n"
    return _ESCAPED.sub(lambda found: _AS.get(found[1], found[0]), text) if "\\" in text else text
