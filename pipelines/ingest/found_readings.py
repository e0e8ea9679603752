"""Read numbers and flags as their values prove that they are written, where the client's file does not say it.

`1.234,56` can be read in one way only, so its whole file is read so: an export writes its numbers in one way.
Of flags, `ja` and `nein` are words of one list. Nothing is guessed: what allows two readings is asked for.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.number_marks import Marks
from pipelines.settings.apis import Api
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Rows
from pipelines.sources.flag_words import CHECKED, LISTS, TOLD_BY_NOTHING
from pipelines.sources.nothing import something
from pipelines.sources.numbers import PLAIN, setting
from pipelines.sql import BLANKS, literal, only_row

if TYPE_CHECKING:
    from pipelines.ingest.validation import Validated

_MOST = 50  # different values of a column of flags


class Found(NamedTuple):
    """How a batch is read by its values: its numbers, and of columns of flags the list of their words.

    `decimal` is the mark that the numbers prove; nothing, if they are the same by either. What is
    `is_open` waits for another batch to prove it. `by` names the file with the proof.
    """

    numbers: Numbers | None = None
    words: Mapping[str, str] = {}
    decimal: str = ""
    is_open: bool = False
    by: str = ""

    def with_more(self, more: "Found") -> "Found":
        """Return what is known with what was found beside it."""
        found = more if more.numbers else self
        return found._replace(words={**self.words, **more.words}, is_open=more.is_open)

    def settings(self, export: Export) -> Export:
        """Return an export's settings as if the client's file said how its numbers are written."""
        return export.model_copy(update={"numbers": self.numbers}) if self.numbers else export

    def said(self, batch: str) -> str:
        """Return what is to be said of a batch that is read so."""
        parts = []
        if self.numbers:
            why = f"as those of {self.by} are" if self.by not in ("", batch) else _ONE_WAY
            parts.append(f"its numbers are read by `{setting(self.numbers)}`, {why}")
        for column, words in self.words.items():
            if words == CHECKED:
                parts.append(
                    f"{column} is read as true where it is marked, and false where it is empty"
                )
        return f"{batch}: {'; '.join(parts)}" if parts else ""

    def kept(self) -> str | None:
        """Return what is remembered for later batches, as JSON; None if nothing is."""
        words = {name: each for name, each in self.words.items() if each == CHECKED}
        kept: dict[str, object] = {"words": words} if words else {}
        if self.numbers and self.decimal:
            kept |= {"numbers": self.numbers.model_dump(mode="json"), "by": self.by}
        return json.dumps(kept, sort_keys=True) if kept else None


_ONE_WAY = "as they allow no other reading"


def remembered(text: str) -> Found:
    """Return what was kept of a batch."""
    kept = json.loads(text)
    numbers = Numbers.model_validate(kept["numbers"]) if "numbers" in kept else None
    decimal = numbers.decimal if numbers else ""
    return Found(numbers, kept.get("words", {}), decimal, by=kept.get("by", ""))


def read_by_values(
    validate: "Callable[[Found], Validated]", known: Found
) -> "tuple[Validated, Found]":
    """Return a batch that is validated by what is known, and by what its values prove beside it."""
    done = validate(known)
    if not done.found or (done.found.is_open and not done.found.words):
        return done, known
    return read_by_values(validate, known.with_more(done.found))


def found_by_itself(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, written: Marks | None
) -> Found | None:
    """Return how a judged batch is to be read instead; None if it is read well, or nobody can tell."""
    if isinstance(judged.feed, Api):
        return None
    words = _words(connection, judged, rows)
    if written and judged.feed.properties and PLAIN not in written.possible:
        written = None  # `where:` of conversions compares them as the client's file says: it has to
    if written and written.examples and written.is_unsure:
        return Found(words=words, is_open=True)
    if written and written.examples and written.is_certain:
        marks = {each.decimal for each in written.possible}
        decimal = marks.pop() if len(marks) == 1 else ""
        return Found(written.possible[0], words, decimal, by=judged.batch.shown)
    return Found(words=words) if words else None


def _words(connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows) -> dict[str, str]:
    """Return the list of words by which each column of flags is read that holds others than usual."""
    flags = [name for name, each in judged.contract.columns.items() if each.type == "boolean"]
    if not flags:
        return {}
    is_bad = [
        f"COALESCE(BOOL_OR(CONTAINS(reason, {literal(name + ' ' + chr(39))})), FALSE)"
        for name in flags
    ]
    query = f"SELECT {', '.join(is_bad)} FROM {judged.rows} AS judged WHERE reason IS NOT NULL"
    bad = [name for name, each in zip(flags, only_row(connection.execute(query))) if each]
    if not bad:
        return {}
    values = _values(connection, rows, judged.contract, bad)
    found = {name: _list_of(name, values[name]) for name in bad if name in values}
    return {
        name: words
        for name, words in found.items()
        if words and judged.reading.words.get(name) != words
    }


def _values(
    connection: duckdb.DuckDBPyConnection, rows: Rows, contract: Contract, columns: list[str]
) -> dict[str, set[str]]:
    """Return the different values of some columns, in small letters, as far as they are few.

    They are those of the batch that is open: opened once more, it would close what that reads.
    """
    found = {}
    for name in columns:
        if name in rows.columns:
            text = f"NULLIF(TRIM(({rows.columns[name]})::TEXT, '{BLANKS}'), '')"
            query = f"""SELECT DISTINCT LOWER({something("value", name, contract)})
            FROM (SELECT {text} AS value FROM {rows.relation}) WHERE value IS NOT NULL LIMIT {_MOST}"""
            values = connection.execute(query).fetchall()
            found[name] = {value for (value,) in values if value is not None}
    return found


def _list_of(column: str, values: set[str]) -> str:
    """Return the list that has all of a column's words; nothing if none has."""
    lists = [name for name, (true, false) in LISTS.items() if values and values <= true | false]
    if column in TOLD_BY_NOTHING:  # whether an empty one was asked, a mark does not say
        lists = [name for name in lists if name != CHECKED]
    return next(iter(lists), "")
