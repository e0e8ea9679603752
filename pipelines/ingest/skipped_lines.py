"""Take the lines that are no data out of a batch that was judged: totals, footers, and empty rows.

They count for nothing: not as rows, not as bad ones, and not as lines that may hide a row. How many there
were of each kind is said, and kept with the counts of the load.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest.footers import empty_rows, footers
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.taken_out import take_out
from pipelines.ingest.total_rows import totals
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Rows
from pipelines.sources.files.called_columns import said


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
    if not isinstance(judged.feed, Export):
        return Skipped()
    found = totals(connection, judged, rows, ordinals_used)
    notes = _said(judged, found, "totals")
    if rows.header and not judged.feed.format:
        empty = empty_rows(connection, judged, rows, ordinals_used)
        take_out(connection, files, [*found, *empty])
        lines = footers(connection, judged, rows, headers, ordinals_used)
        footer_rows = [ordinals_used + line.row for line in lines if line.row]
        take_out(connection, files, footer_rows)
        torn = [line.number for line in lines if not line.row]
        take_out(connection, [judged.rejects_file], torn, "line")
        notes += _said(judged, empty, "empty") + _said(judged, lines, "footer")
        return Skipped(len(found) + len(empty) + len(footer_rows), len(torn), notes)
    take_out(connection, files, found)
    return Skipped(len(found), 0, notes)


def _said(judged: Judged, found: Collection[object], kind: str) -> list[str]:
    place = f"{judged.place}s" if len(found) != 1 else judged.place
    return [f"{judged.batch.shown}: skipped {len(found)} {place}: {kind}"] if found else []


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
