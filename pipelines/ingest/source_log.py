"""Read what the lake holds of one source, once, and append to it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.lake import append as lake
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.sources.batches import Coverage

RETURNED = "returned"  # the delivery of rows that no file brought anew: see erasing


class LoadedTable(NamedTuple):
    """What was loaded of a table: each batch's newest fingerprint, and the days that are covered.

    `last` are the batches of the table's newest load, the id of which is `last_load`; `file_times`
    are those of the files, as far as the log knows them.
    `days` are the newest day of data of each batch, as far as its load counted it; of `uncounted` loads,
    of older versions, that day is at most the one in `counted_at_most`. `odd` says which sums of a batch are far off
    their usual: the batch, its load, and what is odd.
    """

    fingerprints: dict[str, str]
    coverage: list[Coverage]
    file_times: dict[str, int]
    loads: dict[str, tuple[datetime, str]]
    days: list[str]
    uncounted: set[str]
    counted_at_most: list[str]
    odd: list[tuple[str, str, str]]

    @property
    def last_load(self) -> str:
        """Return the id of the newest load of the table; nothing if there is none."""
        return max(self.loads.values())[1] if self.loads else ""

    @property
    def last(self) -> dict[str, str]:
        """Return the batches of the newest load, each with its fingerprint."""
        last = self.last_load
        return {
            name: self.fingerprints[name] for name, (_, load) in self.loads.items() if load == last
        }


class SourceLog:
    """The committed loads of one source of a client, and the load counts that came with them.

    Load markers are scanned once, and load counts are read once, however many tables there are
    and however often they are asked about. What is appended is read again.
    """

    def __init__(self, client: str, source: str) -> None:
        self.client, self.source = client, source
        self._folder = str(lake.source_folder(client, source))
        self._tables: defaultdict[str, LoadedTable] | None = None
        self._readings: dict[tuple[str, str], tuple[str, str | None]] | None = None
        self._read()

    def append(self, tables: dict[str, list[Path]]) -> None:
        """Append each table's Parquet files, all in one commit."""
        lake.append(self.client, self.source, tables)
        self._read()

    def has(self, table: str) -> bool:
        """Return whether rows of a table were ever loaded."""
        return bool(self._files(table))

    def rows(self, table: str, columns: Iterable[str] = ()) -> str:
        """Return SQL for the rows of a table that has some: see `read_loads`."""
        return read_loads(self._files(table), self.loads, columns)

    def loaded(self, table: str) -> LoadedTable:
        """Return what was loaded of a table."""
        return self._counted()[table]

    def readings(self) -> dict[tuple[str, str], str]:
        """Return how each batch was read when it was read last, by table and name, the newest first."""
        return {batch: reading for batch, (reading, _) in self._kept_readings().items()}

    def found(self, table: str) -> dict[str, str | None]:
        """Return what was found of each batch of a table by its values, the newest first, but for loads that were withdrawn."""
        kept = self._kept_readings().items()
        return {name: found for (of, name), (_, found) in kept if of == table}

    @property
    def withdrawn(self) -> set[str]:
        """Return the ids of the loads that were taken back."""
        self._counted()
        return self._withdrawn

    def _counted(self) -> defaultdict[str, LoadedTable]:
        if self._tables is None:
            self._tables = self._load_counts()
        return self._tables

    def _kept_readings(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        if self._readings is None:
            self._readings = self._read_readings()
        return self._readings

    def _read(self) -> None:
        self.loads: dict[str, datetime] = committed_loads(self._folder)
        self._tables, self._readings = None, None
        self._withdrawn = set[str]()

    def _files(self, table: str) -> list[str]:
        return committed_files(self._folder, table, self.loads)

    def _load_counts(self) -> defaultdict[str, LoadedTable]:
        tables: defaultdict[str, LoadedTable] = defaultdict(
            lambda: LoadedTable({}, [], {}, {}, [], set(), [], [])
        )
        for (
            table,
            batch,
            fingerprint,
            moment,
            load,
            file_time,
            day,
            uncounted,
            at_most,
            odd,
            withdraws,
            *covers,
        ) in self._batches():
            tables[table].fingerprints[batch] = fingerprint
            tables[table].loads[batch] = moment, load
            if file_time is not None:
                tables[table].file_times[batch] = int(file_time)
            tables[table].days.append(day or "")
            tables[table].uncounted.update(uncounted or [])
            tables[table].counted_at_most.append(at_most or "")
            tables[table].odd.extend((batch, *each) for each in odd or [])
            self._withdrawn.update(withdraws or [])
            if covers[1]:
                tables[table].coverage.append(Coverage(*covers))
        return tables

    def _batches(self) -> list[tuple]:
        """Return every batch that was loaded, as its newest load counted it."""
        if not self.has("exports"):
            return []
        columns = ["file_time", "newest_day", "unusual", "delivery", "withdraws"]
        with duckdb.connect() as connection:
            return connection.execute(
                f"""SELECT table_name, export_file, ARG_MAX(fingerprint, loaded_at),
                MAX(loaded_at), ARG_MAX(load_id, loaded_at), ARG_MAX(file_time, loaded_at),
                MAX(newest_day), LIST(load_id) FILTER (newest_day IS NULL),
                MAX(loaded_at::DATE::TEXT) FILTER (newest_day IS NULL),
                LIST((load_id, unusual)) FILTER (unusual IS NOT NULL),
                LIST(withdraws) FILTER (withdraws IS NOT NULL),
                ANY_VALUE(account), ANY_VALUE(covers_from), ANY_VALUE(covers_until)
                FROM {self.rows("exports", columns)} AS log
                WHERE delivery IS DISTINCT FROM '{RETURNED}' GROUP BY table_name, export_file"""
            ).fetchall()

    def _read_readings(self) -> dict[tuple[str, str], tuple[str, str | None]]:
        if not self.has("readings"):
            return {}
        with duckdb.connect() as connection:
            found = connection.execute(
                f"""SELECT table_name, export_file, ARG_MAX(reading, loaded_at),
                (ARG_MAX({{found: found}}, loaded_at) FILTER (NOT LIST_CONTAINS(?, load_id))).found
                FROM {self.rows("readings", ["found"])} AS log
                GROUP BY table_name, export_file ORDER BY MAX(loaded_at) DESC""",
                [[*self.withdrawn]],
            )
            return {(table, name): (reading, by) for table, name, reading, by in found.fetchall()}
