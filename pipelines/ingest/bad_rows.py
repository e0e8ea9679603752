"""Say what is wrong with a batch: every kind of fault, the most frequent first, each with an example."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from pipelines.ingest.row_faults import QUOTED, Fault
from pipelines.sources.batches import Remedy
from pipelines.sources.files.encodings import USUAL
from pipelines.sources.files.repeated_json_keys import SAID
from pipelines.sql import only_row

ROW_LINES = "`row_lines: ([0-9]+)`"  # in a reason: the setting that would read the lines as one row

_KINDS = 12  # as many kinds of fault are named one by one


# Days and times that are none to us: 11/3/26, an epoch of a day, one with a zone in letters.
_OTHER_DAYS = (
    r"\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}\b.*|\d{1,2}[. -]+[^\W\d]{3,9}[. -]+\d{2,4}\b.*"
    r"|(\w+, )?[^\W\d]{3,9}\.? \d{1,2},? \d{4}\b.*|\d{8,19}|\d{4}-\d\d-\d\dT?.*[AP]M"
)
_NO_UTF8 = "a line is not UTF-8"
_NOT_UTF8 = "what is not UTF-8 is mostly Windows-1252: say so, or export it as UTF-8 (in Excel: Save as, CSV UTF-8)"
_BY_BACKSLASH = "quotes behind backslashes, as of MySQL, are read if the client's file says so"
_EACH_ONCE = "programs differ in which of its values they take: write each key once"
_MIXED = (
    "other lines are UTF-8, as '{text}': two programs wrote this file; export it as UTF-8, or say what"
    " the others are, mostly Windows-1252: to convert all of it would spoil those that are UTF-8"
)


class Kind(NamedTuple):
    """One kind of fault: how many rows have it, the first of them, and what helps.

    Whether it `is_number` tells those that a setting of how numbers are read may mend; another line
    of the client's file that would is its `remedy`.
    """

    rows: int
    line: int
    example: str
    advice: str = ""
    is_number: bool = False
    remedy: Remedy | None = None

    @property
    def is_of_form(self) -> bool:
        """Return whether values are there, and written as nobody reads them: no limit is the remedy."""
        day = re.search("'(.*)' is no (date|timestamp)$", self.example)
        needs_rates = self.remedy is not None and self.remedy.below == "sources"
        is_day = day is not None and re.fullmatch(_OTHER_DAYS, day[1]) is not None
        by_backslash = self.advice == _BY_BACKSLASH
        return is_day or needs_rates or by_backslash or self.example.startswith(_NO_UTF8)

    def said(self, place: str) -> str:
        """Return the kind in words; `place` is what the number of a line counts, such as `line`."""
        if self.rows == 1:
            return f"{self.example} ({place} {self.line})"
        return f"{self.example} ({self.rows} rows, the first in {place} {self.line})"


def kinds(
    connection: duckdb.DuckDBPyConnection, faults: list[Fault], rows: str, rejects: str
) -> list[Kind]:
    """Return every kind of fault in a batch.

    `rows` is a relation of its bad rows, as they were judged; `rejects` one of what is no row.
    """
    found = [*_of_rows(connection, faults, rows), *_of_rejects(connection, rejects)]
    return sorted(found, key=lambda kind: (-kind.rows, kind.line))


def said(found: list[Kind], place: str) -> str:
    """Return the kinds in words, and after them what helps."""
    shown = "; ".join(kind.said(place) for kind in found[:_KINDS])
    others = f"; and {len(found) - _KINDS} other kinds of fault" if found[_KINDS:] else ""
    advice = dict.fromkeys(kind.advice for kind in found if kind.advice)
    sentences = "".join(f". {each[:1].upper()}{each[1:]}" for each in advice)
    return f"{shown}{others}{sentences}"


def of_mixed_encodings(
    connection: duckdb.DuckDBPyConnection, found: list[Kind], rows: str, columns: Iterable[str]
) -> list[Kind]:
    """Return the kinds, with other advice on lines that are not UTF-8 where some rows are, not only in ASCII."""
    if not any(kind.advice == _NOT_UTF8 for kind in found):
        return found
    beyond_ascii = ", ".join(
        f"IF(STRLEN({name}) > LENGTH({name}), {name}, NULL)" for name in columns
    )
    query = f"SELECT ANY_VALUE(LEFT(COALESCE({beyond_ascii}), {QUOTED})) FROM {rows} AS read"
    (text,) = only_row(connection.execute(query))
    if text is None:
        return found
    advice = _MIXED.format(text=text)
    return [kind._replace(advice=advice) if kind.advice == _NOT_UTF8 else kind for kind in found]


def _of_rows(connection: duckdb.DuckDBPyConnection, faults: list[Fault], rows: str) -> list[Kind]:
    """Return the kinds of fault that rows have; a row may have several."""
    conditions = ", ".join(f"COALESCE({fault.condition}, FALSE)" for fault in faults)
    reasons = ", ".join(fault.reason for fault in faults)
    has_each = f"[{conditions}]"
    found = connection.execute(
        f"""SELECT place, COUNT(*), MIN(line), ARG_MIN(said, line) FROM (
          SELECT line, UNNEST(RANGE({len(faults) + 1})) AS place,
          UNNEST({has_each} || [NOT LIST_CONTAINS({has_each}, TRUE)]) AS has_it,
          UNNEST([{reasons}, reason]) AS said FROM {rows} AS bad
        ) WHERE has_it GROUP BY place ORDER BY place"""
    ).fetchall()
    helps = [*(fault[2:5] for fault in faults), ("", False, None)]
    return [Kind(rows, line, said, *helps[place]) for place, rows, line, said in found]


def _of_rejects(connection: duckdb.DuckDBPyConnection, rejects: str) -> list[Kind]:
    """Return the kinds of fault of lines that are no rows."""
    found = connection.execute(
        f"""SELECT ARG_MIN(reason, line), COUNT(*), MIN(line),
        ARG_MIN(LEFT(content, {QUOTED + 1}), line) FROM {rejects} AS torn
        GROUP BY REGEXP_REPLACE(reason, 'line [0-9]+', 'line', 'g')"""
    ).fetchall()
    return [Kind(rows, line, *_torn(reason, content)) for reason, rows, line, content in found]


def _torn(reason: str, content: str | None) -> tuple[str, str, bool, Remedy | None]:
    """Return what is wrong with a line in words, and what helps."""
    if found := re.search(ROW_LINES, reason):
        said, advice = _torn_words(reason.partition("; close it")[0], content)
        advice = "close the quote, unless it is one text"
        return said, advice, False, Remedy(f"row_lines: {found[1]}")
    said, advice = _torn_words(reason, content)
    is_of_csv = reason.startswith(("a quote", "it has"))
    if is_of_csv and '\\"' in (content or ""):
        return said, _BY_BACKSLASH, False, Remedy("quotes: backslash")
    return said, advice, False, Remedy(f"encoding: {USUAL}") if advice == _NOT_UTF8 else None


def _torn_words(reason: str, content: str | None) -> tuple[str, str]:
    text = (content or "").strip()
    quoted = f"'{text[:QUOTED]}{'…' if len(text) > QUOTED else ''}'"
    if counted := re.fullmatch(r"it has (\d+) values, not (\d+)", reason):
        found, expected = map(int, counted.groups())
        return _of_another_length(expected, found, quoted)
    if "utf-8" in reason.lower():
        return f"{_NO_UTF8}: {quoted}", _NOT_UTF8
    if reason.startswith("a quote"):
        return f"{reason}: {quoted}", "a quote within a value is doubled"
    if "no JSON object" in reason:
        return f"a line holds no JSON object: {quoted}", "JSON is read an object a line"
    if SAID in reason:
        return f"{reason}: {quoted}", _EACH_ONCE
    return f"{reason.strip().splitlines()[0][:200]}: {quoted}", ""


def _of_another_length(expected: int, found: int, quoted: str) -> tuple[str, str]:
    """Return what is wrong with a line that has fewer or more values than the header."""
    values = "value" if found == 1 else "values"
    said = f"a line has {found} {values}, the header has {expected}: {quoted}"
    if found > expected:
        return said, (
            "a value with the mark between values in it stands in quotes, and a quote within it"
            ' is doubled: "a ""quoted"" word"'
        )
    return said, (
        "a line has as many values as the header, empty ones too; leave out lines that are titles,"
        " sums or notes"
    )
