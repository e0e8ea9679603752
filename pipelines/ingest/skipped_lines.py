"""Take the lines that are no data out of a batch that was judged: totals, footers, and empty rows.

They count for nothing: not as rows, not as bad ones, and not as lines that may hide a row. How many there
were of each kind is said, and kept with the counts of the load.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest.footers import by_their_beginnings, empty_rows, footers
from pipelines.ingest.further_lines import KIND, further_lines
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.taken_out import take_out
from pipelines.ingest.total_rows import totals
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Rows
from pipelines.sources.files.called_columns import said
from pipelines.sources.files.second_headers import Line


class Skipped(NamedTuple):
    """How many rows were taken out, how many lines that were none, and what is to be said of them."""

    rows: int = 0
    rejects: int = 0
    notes: Sequence[str] = ()


def skip(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    rows: Rows,
    files: Sequence[Path],
    headers: Sequence[int],
    ordinals_used: int,
) -> Skipped:
    """Take what is no data out of the files of a batch's rows; `headers` are the lines of headers further down."""
    feed = judged.feed
    if not isinstance(feed, Export):
        return Skipped()
    taken = _Taken(connection, judged, files, ordinals_used)
    is_delimited = bool(rows.header) and not feed.format
    if feed.skip and is_delimited:
        taken.lines("`skip:`", by_their_beginnings(connection, judged, rows, feed.skip))
    taken.rows("totals", totals(connection, judged, rows, ordinals_used))
    taken.rows(KIND, further_lines(connection, judged))
    if is_delimited:
        taken.rows("empty", empty_rows(connection, judged, rows, ordinals_used))
        taken.lines("footer", footers(connection, judged, rows, headers, ordinals_used))
    return taken.all_of_it


class _Taken:
    """Takes rows and lines out of files, and counts them."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        judged: Judged,
        files: Sequence[Path],
        ordinals_used: int,
    ) -> None:
        self._connection, self._judged = connection, judged
        self._files, self._ordinals_used = files, ordinals_used
        self.all_of_it = Skipped()

    def lines(self, kind: str, lines: Sequence[Line]) -> None:
        """Take out lines, be they rows or none."""
        self.rows(
            kind,
            [self._ordinals_used + line.row for line in lines if line.row],
            [line.number for line in lines if not line.row],
        )

    def rows(self, kind: str, ordinals: Sequence[int], rejects: Sequence[int] = ()) -> None:
        """Take out rows by their ordinals, and what is no row by its line."""
        take_out(self._connection, self._files, ordinals)
        take_out(self._connection, [self._judged.rejects_file], rejects, "line")
        if count := len(ordinals) + len(rejects):
            place = self._judged.place if count == 1 else f"{self._judged.place}s"
            before, note = self.all_of_it, f"skipped {count} {place}: {kind}"
            self.all_of_it = Skipped(
                before.rows + len(ordinals),
                before.rejects + len(rejects),
                [*before.notes, f"{self._judged.batch.shown}: {note}"],
            )


def notes_of_reading(batch: Batch, rows: Rows) -> list[str]:
    """Return what is to be said of how a batch's header was found, and of its names."""
    notes = [f"{batch.shown}: {note}" for note in rows.notes]
    if rows.skipped:
        lines = "1 line" if rows.skipped == 1 else f"{rows.skipped} lines"
        notes.append(f"{batch.shown}: skipped {lines} before the header: titles")
    if rows.filled:
        ends = "1 row ends" if rows.filled == 1 else f"{rows.filled} rows end"
        notes.append(f"{batch.shown}: {ends} before the last columns; what is not there is empty")
    if rows.called:
        notes.append(f"{batch.table}: {said(rows.called)}")
    return notes
