"""Refuse a batch whose rows are bad, with every kind of fault and the settings that would read it."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.bad_rows import kinds, said
from pipelines.ingest.compared_values import OF_WHERE, in_two_ways, numbers_in
from pipelines.ingest.number_marks import Marks, either, marks
from pipelines.ingest.row_faults import Fault
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.conditions import Condition
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.numbers import Reading, read, reading_of
from pipelines.sql import literal, only_row

_FEW = 0.1  # of a batch's rows; more are no accident, and no limit is the remedy


class Share(NamedTuple):
    """How many of a batch's rows, or lines, are bad."""

    bad: int
    of: int
    what: str

    @property
    def rounded_up(self) -> float:
        """Return the least limit, in whole per cent, that lets them pass."""
        return math.ceil(100 * self.bad / self.of) / 100


class Judged(NamedTuple):
    """A batch whose rows were judged: by which faults, and the files of its rows and rejects.

    `judged_file` has also the rows that do not count, by `where`, and what that compares.
    """

    contract: Contract
    client: Client
    feed: Export | Api
    batch: Batch
    faults: list[Fault]
    rows_file: Path
    rejects_file: Path
    judged_file: Path
    where: Condition | None = None

    @property
    def reading(self) -> Reading:
        """Return how its numbers are read."""
        return reading_of(self.feed)

    @property
    def rows(self) -> str:
        """Return SQL for its rows; bad ones are as they were delivered."""
        return f"read_parquet({literal(str(self.rows_file))})"

    @property
    def bad(self) -> str:
        """Return SQL for its bad rows, as they were judged."""
        counts = " AND counts" if self.where else ""
        texts = "REPLACE (is_deleted::TEXT AS is_deleted)" * ("is_deleted" in self.contract.columns)
        rows = f"read_parquet({literal(str(self.judged_file))})"
        bad = f"(SELECT * {texts} FROM {rows} AS judged WHERE reason IS NOT NULL{counts})"
        return read(self.contract, self.reading, bad)

    @property
    def compared(self) -> Mapping[str, str]:
        """Return relations of the numbers that `where:` compares, by what they are called."""
        return numbers_in(self.where, f"read_parquet({literal(str(self.judged_file))})")

    @property
    def rejects(self) -> str:
        """Return SQL for what is no row."""
        return f"read_parquet({literal(str(self.rejects_file))})"

    @property
    def place(self) -> str:
        """Return what the number of a row counts: lines in a text, else rows."""
        name = self.batch.name.lower().removesuffix(".gz")
        return "line" if name.endswith((".csv", ".jsonl", ".tsv")) else "row"


def refuse_bad_rows(
    connection: duckdb.DuckDBPyConnection, judged: Judged, count: int, lines_read: int | None
) -> None:
    """Raise ExportError if a batch's bad rows are more than some rows to look at later.

    They are if they are more than the client's quality.quarantine_limit allows, of its rows or of
    its lines: one row may hold most of them. They are if they are all rows; or if a setting would
    read them, as it would `1,010.00`: no limit is the remedy for that, it would leave out each
    amount of a thousand and more.
    """
    query = f"""SELECT COUNT(*), COALESCE(SUM(lines), 0) FROM (
      SELECT lines FROM {judged.rows} AS judged WHERE reason IS NOT NULL
      UNION ALL SELECT lines FROM {judged.rejects} AS rejects
    )"""
    bad, bad_lines = only_row(connection.execute(query))
    if not bad:
        return
    shares = [Share(bad, count, "rows"), Share(bad_lines, lines_read or 0, "lines")]
    is_poll = bool(judged.batch.covers.first)  # one may bring one row alone
    limit, at_least = judged.client.quality.quarantine_limit, 1 if is_poll else 0
    over = [each for each in shares if each.of and each.bad > max(limit * each.of, at_least)]
    over += [shares[0]] * (bad == count and not is_poll)
    written = _marks(connection, judged)
    if over or written.is_other:
        raise _refused(connection, judged, [*over, shares[0]][0], written.remedies())


def unsure_columns(connection: duckdb.DuckDBPyConnection, judged: Judged, typed: str) -> list[str]:
    """Return the columns of texts whose numbers may be read in two ways.

    `typed` is a query for the names of the export's columns that hold numbers by their type.
    """
    if isinstance(judged.feed, Api):
        return []
    named: dict[str, tuple[str, ...]] = {}
    if asked := either(judged.contract, judged.reading):
        seen = ", ".join(f"COALESCE(BOOL_OR({is_it}), FALSE)" for is_it in asked.values())
        found = only_row(connection.execute(f"SELECT {seen} FROM {judged.rows} AS numbers"))
        named = {name: judged.feed.names(name) for name, is_seen in zip(asked, found) if is_seen}
    if not judged.reading.numbers:
        named |= {
            name: (name.removesuffix(OF_WHERE),)
            for name, relation in judged.compared.items()
            if connection.execute(in_two_ways(relation)).fetchall()
        }
    numbers = {name for (name,) in connection.execute(typed).fetchall()} if named else set()
    return [column for column, names in named.items() if not numbers & set(names)]


def unsure(
    connection: duckdb.DuckDBPyConnection, judged: Judged, columns: list[str]
) -> Marks | None:
    """Return how a batch's numbers may be read, if some of its columns leave it open; else None."""
    if not columns:
        return None
    found = _marks(connection, judged, columns)
    return found if found.is_unsure else None


def _marks(
    connection: duckdb.DuckDBPyConnection, judged: Judged, open_: Sequence[str] = ()
) -> Marks:
    feed = (judged.contract, judged.client, judged.reading)
    return marks(connection, *feed, judged.rows, judged.compared, open_)


def refused_as_unsure(batch: Batch, written: Marks) -> ExportError:
    """Return the error that asks how a batch's numbers are read."""
    columns = "; ".join(
        f"{column} {', '.join(repr(value) for value in values)}"
        for column, values in written.in_two_ways.items()
    )
    return batch.refused(
        f"its numbers can be read in two ways, and no number of this export decides: {columns}",
        written.remedies(),
    )


def _refused(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    share: Share,
    remedies: Sequence[Remedy],
) -> ExportError:
    """Return the error that names every kind of fault, and the settings that would read the rows."""
    found = kinds(connection, judged.faults, judged.bad, judged.rejects)
    if remedies:  # a setting says how the numbers are read: nobody has to write them otherwise
        found = [kind._replace(advice="") if kind.is_number else kind for kind in found]
    text = f"{share.bad} of {share.of} {share.what} are bad: {said(found, judged.place)}"
    if not remedies and share.bad <= _FEW * share.of:
        text += ". If these rows may be left out, a limit lets them go to quarantine"
        remedies = [Remedy(f"quality: {{quarantine_limit: {share.rounded_up}}}")]
    return judged.batch.refused(text, remedies)
