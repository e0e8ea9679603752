"""Compute what a table's batches change in the lake: set-based, in DuckDB, to Parquet files.

Every row that is delivered is either bad (it goes to quarantine, with the reason), unchanged (the
version of its key before it has the same content), or appended. What a full export lacks, or the
days that a platform was asked for, is appended once more, marked `is_deleted`. Rows go from file
to file: memory holds keys and hashes, and those spill.
"""

from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest import (
    comparison,
    day_keys,
    decimal_ids,
    deletions,
    hour_twins,
    key_twins,
    moved_times,
    own_ids,
    paths_nowhere,
    readings,
    reread,
    unknown_stages,
    untold,
)
from pipelines.ingest.acceptance import Waiting
from pipelines.ingest.clock_changes import ambiguous_times
from pipelines.ingest.erased_rows import leave_out, left_out_notes
from pipelines.ingest.found_readings import Found
from pipelines.ingest.grain_twins import refuse_other_grain
from pipelines.ingest.later_refunds import refuse_later_refunds
from pipelines.ingest.load_counts import Counts, load_counts, summed
from pipelines.ingest.newest_days import newest_days
from pipelines.ingest.pending import Round
from pipelines.ingest.remembered_readings import RoundReadings
from pipelines.ingest.repeats import Settled, Taken, settle
from pipelines.ingest.rounded_ids import refuse_rounded_ids
from pipelines.ingest.table import Table
from pipelines.ingest.torn_lines import TornLines
from pipelines.ingest.uncounted import Uncounted, deleted_by_them, refuse_if_none_counts
from pipelines.ingest.unknown_stages import Stages
from pipelines.ingest.usual_sums import unusual
from pipelines.ingest.validation import Validated, validate
from pipelines.settings.apis import Api
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.files.header_zones import zones
from pipelines.sql import literal, only_row


class Changes(NamedTuple):
    """What a table's batches change, as Parquet files for the lake, and how many rows that is.

    `waiting` is what is kept until a person confirms that it is gone. `numbers` is how their values
    prove that numbers are written, where no setting says it.
    """

    rows: list[Path]
    quarantine: Path
    load_counts: Path
    counts: Counts
    notes: list[str] = []
    reading: Path | None = None
    waiting: list[Waiting] = []
    numbers: Numbers | None = None


def changes(table: Table, round_: Round, folder: Path) -> Changes:
    """Return what a round of batches changes, as files in a folder.

    Raise ExportError if one is refused, or lacks too much of what is known.
    """
    with duckdb.connect(config=_settings(folder)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        delta = Delta(connection, table, folder)
        delta.validate(round_.batches)
        delta.settle()
        delta.judge_keys(round_)
        untold.refuse_conflicts(connection, table, round_)
        delta.merge(goes_on=round_.again is None)
        if round_.again is None:
            delta.compare()
            deletions.judge_uncounted(connection, table, round_)
        else:
            delta.compare_again(round_)
        if table.delivery.mode != "full":
            done = delta.write(delta.count())
            return _noted(connection, table, round_, done, folder, delta.readings)
        known, kept = deletions.judge(connection, table, round_)
        done = delta.write(delta.count(known))
        done = _noted(connection, table, round_, done, folder, delta.readings)
        return done._replace(notes=[*done.notes, *kept.notes], waiting=kept.waiting)


def _noted(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    round_: Round,
    done: Changes,
    folder: Path,
    found: RoundReadings,
) -> Changes:
    """Return the changes with how the batches were read, and what is to be said of those read again."""
    if not table.export:
        return done
    is_again = round_.again is not None
    contents = {batch.name: batch.fingerprint for batch in round_.batches}
    first_loaded = reread.first_loaded(connection) if is_again else {}
    file = folder / f"{table.name}.readings.parquet"
    said = reread.notes(connection, table, round_) if is_again else []
    return done._replace(
        notes=[*done.notes, *_zones_said(table), *said],
        reading=readings.kept(table, contents, first_loaded, file, found.kept()),
        numbers=found.proved(),
    )


def _zones_said(table: Table) -> list[str]:
    """Say of which times the zone is that of their column's name, where it is not the client's."""
    export, own = table.export, table.client.timezone
    if not export:
        return []
    same = {"+00:00"} if own in ("UTC", "Etc/UTC", "GMT") else set()
    return [
        f"{table.name}: {name} is read as {'UTC' * (zone[0] in '+-')}{zone}, as its column is called"
        f" '{' '.join(export.names(name))}'; a time with an offset of its own keeps that"
        for name, zone in zones(export, table.delivery.contract, own).items()
        if zone not in same and name not in export.zones
    ]


def _settings(folder: Path) -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's settings: every client has a process, so what is large goes to disk."""
    return {
        "memory_limit": "300MB",
        "temp_directory": str(folder / "spill"),
        "python_enable_replacements": False,
    }


class Delta:
    """The steps from a table's batches to what they change, in the order in which they are taken.

    The tables of its connection are its own. `validate` makes `batches`, `delivered` (their rows)
    and `rejects` (what is no row); `settle` and `merge` may replace `delivered`; `compare` or
    `compare_again` makes `unchanged`, `superseded` and `deleted`, and `count` makes `load_counts`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> None:
        self._connection, self._table, self._folder = connection, table, folder
        self._delivered: list[Path] = []
        self._rows_erased, self._rows_aged, self._rows_kept = 0, 0, 0
        self._torn, self._notes = TornLines(connection), list[str]()
        self._forms: list[str] = []
        self._taken: list[Taken] = []
        self._uncounted: list[Uncounted] = []
        self._local_times: list[Path] = []
        self._refunds: list[str] = []
        self._is_reread, self._comes_once = False, False
        self._nowhere: list[dict[str, ExportError]] = []
        self._stages: list[Stages] = []
        self.readings = RoundReadings(table)

    def validate(self, batches: list[Batch]) -> None:
        """Validate every row of the batches. Raise ExportError if a batch is refused."""
        known = self._table.log.loaded(self._table.name).fingerprints
        self._is_reread = all(known.get(batch.name) == batch.fingerprint for batch in batches)
        self._read(batches)
        if self.readings.settle(self._connection):
            self._read(batches)
        found = decimal_ids.one_form(self._connection, self._table, batches, self._delivered)
        if found.columns:
            self._forms = found.columns
            self._read(batches)
        self._notes += [*found.notes, *self.readings.notes(batches)]
        paths_nowhere.refuse(self._table, self._nowhere, self._connection, self._is_reread)
        refuse_if_none_counts(self._connection, self._table, self._uncounted, self._is_reread)
        self._notes += unknown_stages.judge(self._table, self._stages, self._is_reread)
        left = self._rows_erased, self._rows_aged, self._rows_kept
        self._notes += left_out_notes(self._table, *left)

    def _read(self, batches: list[Batch]) -> None:
        """Read the batches, each as it is known by now to be written."""
        self._connection.execute(_BATCHES)
        self._torn = TornLines(self._connection)
        self._delivered, self._taken, self._uncounted, self._local_times = [], [], [], []
        self._refunds, self._rows_erased, self._rows_aged, self._rows_kept = [], 0, 0, 0
        self._nowhere, self._stages = [], []
        rejects: list[Path] = []
        ordinals_used = 0
        for number, batch in enumerate(batches):
            done = self._validated(batch, number, ordinals_used)
            self._delivered.append(done.rows)
            rejects.append(done.rejects)
            ordinals_used += done.row_count
        self._view("delivered", self._delivered)
        self._view("rejects", rejects)

    def _validated(self, batch: Batch, number: int, ordinals_used: int) -> Validated:
        """Validate one batch, and note that it came."""
        contract, client = self._table.delivery.contract, self._table.client
        target = self._folder / f"{self._table.name}.{number}"
        is_full = self._table.delivery.mode == "full"

        def by(feed: Export | Api, batch: Batch, found: Found) -> Validated:
            watched = self._torn.watching(batch) if is_full else batch
            settings = (contract, client, feed, watched, ordinals_used, target)
            return validate(self._connection, *settings, self._forms, found.words)

        done = self.readings.validated(by, batch)
        done, erased, aged, kept = leave_out(self._connection, self._table, done)
        self._rows_erased += erased
        self._rows_aged += aged
        self._rows_kept += kept
        if not self._forms:  # else the lake's form of an id may be one that older versions took
            refuse_rounded_ids(self._connection, contract, batch, done.rows)
        self._taken.append(Taken(batch, done.rows, ordinals_used, done.export))
        self._refunds += done.notes
        self._nowhere += [done.nowhere] if done.row_count else []
        self._stages += [done.stages] if done.stages else []
        self._local_times += [done.local_times] if done.local_times else []
        apart = done.uncounted, done.uncounted_rows, done.row_count - done.skipped_rows
        self._uncounted.append(Uncounted(batch, number, *apart))
        if done.is_empty and not done.left_out and self._table.delivery.mode == "full":
            remedy = "deliver it again" if batch.path else "see why the table is empty"
            raise batch.refused(f"a full export without a row; {remedy}")
        covers = [part or None for part in batch.covers]
        self._connection.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
            [
                batch.name,
                batch.fingerprint,
                *covers,
                done.left_out,
                done.lines_read,
                batch.file_time,
                erased,
                aged,
                done.skipped,
            ],
        )
        return done

    def settle(self) -> None:
        """Settle the keys that come several times in one batch. Raise ExportError if it is refused."""
        settled = Settled(Path())
        for place, taken in enumerate(self._taken):
            settled = settle(self._connection, self._table, taken)
            self._delivered[place] = settled.rows
            self._notes += settled.notes
            self._connection.execute(
                "UPDATE batches SET rows_summed = ? WHERE export_file = ?",
                [settled.summed, taken.batch.name],
            )
        target = self._folder / f"{self._table.name}.deleted_by_where.parquet"
        self._delivered += deleted_by_them(
            self._connection, self._table, self._uncounted, self._delivered, target
        )
        is_rare = self._table.delivery.contract.happens_rarely  # the others are not worth a word
        said = [each.said for each in self._uncounted if each.left_out and not is_rare]
        self._notes += said + self._refunds
        self._view("delivered", self._delivered)
        known = self._folder / f"{self._table.name}.known.parquet"
        if day_keys.keep_known(self._connection, self._table, known):
            self._delivered = [known]
            self._view("delivered", self._delivered)
        self._comes_once = self._delivered == [settled.rows] and settled.comes_once

    def judge_keys(self, round_: Round) -> None:
        """Raise Held if keys are known in another form; see `key_twins` and `hour_twins`."""
        if not self._is_reread:
            refuse_other_grain(self._connection, self._table, round_)
            refuse_later_refunds(self._connection, self._table, round_)
            self._notes += key_twins.judge(self._connection, self._table, round_)
            hour_twins.judge(self._connection, self._table, round_)

    def merge(self, goes_on: bool) -> None:
        """Merge the versions of each key, where the delivery says how.

        A full export has all that there is to merge; an increment goes on from what is stored.
        """
        if merge := self._table.delivery.merge:
            goes_on &= self._table.is_stored and self._table.delivery.mode == "increment"
            merged = self._folder / f"{self._table.name}.merged.parquet"
            merge(self._connection, "delivered", self._table.stored if goes_on else "", merged)
            self._delivered = [merged]
            self._view("delivered", self._delivered)

    def compare(self) -> None:
        """Find what is unchanged, and what of the lake was not delivered; see `comparison`."""
        comparison.compare(self._connection, self._table, self._comes_once)
        if comparison.delete(self._connection, self._table):
            self._notes += self._torn.keep(self._table)
        own_ids.rename(self._connection, self._table)
        self._notes += moved_times.notes(self._connection, self._table)

    def compare_again(self, round_: Round) -> None:
        """Find the same of files that are read again; see `reread`."""
        reread.compare(self._connection, self._table, round_, self._folder)
        if comparison.delete(self._connection, self._table):
            self._notes += self._torn.keep(self._table)
        reread.delete(self._connection, self._table)
        own_ids.rename(self._connection, self._table)

    def count(self, known: int | None = None) -> Counts:
        """Count what became of the rows of each batch; return the sums.

        After a full delivery, so many rows are `known`.
        """
        contract, client = self._table.delivery.contract, self._table.client
        query = load_counts(
            self._table.name,
            self._table.delivery.mode,
            "batches",
            good="delivered WHERE reason IS NULL",
            quarantined=_QUARANTINED,
            unchanged="delivered SEMI JOIN unchanged USING (ordinal)",
            superseded="delivered SEMI JOIN superseded USING (ordinal)",
            deleted="deleted",
            known="NULL" if known is None else str(known),
            newest_days=newest_days(contract, client),
            unusual=[
                unusual(contract, client, self._usual()),
                ambiguous_times(contract, client, self._zones(), self._local_times),
            ],
        )
        self._connection.execute(f"CREATE TABLE load_counts AS {query}")
        return Counts(*only_row(self._connection.execute(summed("load_counts"))))

    def _zones(self) -> dict[str, str]:
        """Return the zones of the columns whose times are read by another clock than the client's."""
        contract, export = self._table.delivery.contract, self._table.export
        return zones(export, contract, self._table.client.timezone) if export else {}

    def _usual(self) -> str:
        """Return SQL for the rows that say what is usual: those in the lake, or all that came at first.

        Files that are read again, as they were read wrong, are no measure of themselves.
        """
        if not self._table.is_stored:
            return "delivered"
        names = "SELECT export_file FROM batches" if self._is_reread else "SELECT ''"
        return f"(FROM {self._table.stored} AS log WHERE export_file NOT IN ({names}))"

    def write(self, counts: Counts) -> Changes:
        """Write what changes, as files; rows that are all new stay in the files that they are in."""
        if counts.is_all_new:
            rows = self._delivered if counts.read else []
        else:
            changed = counts.appended or counts.deleted
            rows = [self._written("rows", _APPENDED)] if changed else []
        quarantine = self._written("quarantine", _QUARANTINE)
        return Changes(
            rows, quarantine, self._written("exports", "FROM load_counts"), counts, self._notes
        )

    def _written(self, what: str, query: str) -> Path:
        path = self._folder / f"{self._table.name}.{what}.parquet"
        query = query.format(table=self._table.name, columns=", ".join(self._table.columns))
        self._connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
        return path

    def _view(self, name: str, files: list[Path]) -> None:
        paths = ", ".join(literal(str(file)) for file in files)
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet([{paths}])")


_BATCHES = """
CREATE OR REPLACE TABLE batches (
  export_file TEXT, fingerprint TEXT, account TEXT, covers_from TEXT, covers_until TEXT,
  rows_left_out BIGINT, lines_read BIGINT, file_time BIGINT, rows_summed BIGINT,
  rows_erased BIGINT, rows_aged BIGINT, rows_skipped BIGINT
)
"""

_QUARANTINED = """(
  SELECT export_file FROM delivered WHERE reason IS NOT NULL
  UNION ALL SELECT export_file FROM rejects
)"""

_APPENDED = """
SELECT ordinal, export_file, line, {columns}, is_deleted, row_key, reason
FROM delivered ANTI JOIN unchanged USING (ordinal) WHERE reason IS NULL
UNION ALL BY NAME
SELECT 0 AS ordinal, export_file, {columns}, TRUE AS is_deleted, row_key
FROM deleted
"""

_QUARANTINE = """
SELECT '{table}' AS table_name, export_file, line, reason, to_json(texts)::TEXT AS content, lines
FROM delivered, LATERAL (SELECT {columns}) AS texts WHERE reason IS NOT NULL
UNION ALL
SELECT '{table}', export_file, line, reason, content, lines FROM rejects
"""
