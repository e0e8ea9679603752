"""Find the loads that brought rows: their ids, files and lines, in the lake, which nobody locks."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.home import lake_folder
from pipelines.lake.loads import commit_times, committed_files, read_loads, seen_from
from pipelines.sql import identifier, literal


class Load(NamedTuple):
    """A committed load of a client's lake."""

    source: str
    load_id: str
    committed_at: datetime  # UTC


class Row(NamedTuple):
    """A row of the log: what brought it, and where it stood."""

    load: Load
    table: str
    key: str
    export_file: str | None  # NULL of what was loaded without a file
    line: int | None  # NULL where a format has no lines, or was read without them

    @property
    def place(self) -> str:
        """Return the file, and the line where it is known."""
        file = self.export_file or f"{self.load.source}.{self.table}"
        return f"{file}, line {self.line}" if self.line else file


def loads_by_moment(client: str) -> dict[datetime, Load]:
    """Return each committed load of a client by the time from which runs see it, `loaded_at` of its rows."""
    return {
        seen_from(committed): Load(folder.name, load, committed)
        for folder in sorted((lake_folder() / client).glob("[a-z]*"))
        for load, committed in commit_times(str(folder)).items()
    }


def rows_of(client: str, loads: Collection[Load], keys: Collection[str]) -> list[Row]:
    """Return the rows of some loads whose key is one of `keys`, each with its file and line.

    Salesforce writes one id in two forms: of 15 letters, and of 18 that begin with the same 15.
    """
    wanted = {key for key in keys if key} | {key[:15] for key in keys if key and len(key) == 18}
    return [
        Row(load, table.name, *row)
        for load in loads
        for table in sorted((lake_folder() / client / load.source).glob("[a-z]*"))
        for row in _rows(table, load, wanted)
    ]


_NO_ROWS = {"exports", "init", "quarantine", "readings"}  # what ingest notes beside the tables


def _rows(table: Path, load: Load, keys: Collection[str]) -> list[tuple]:
    loads = {load.load_id: seen_from(load.committed_at)}
    if table.name in _NO_ROWS or not keys:
        return []
    if not (files := committed_files(str(table.parent), table.name, loads)):
        return []
    listed = ", ".join(literal(key) for key in sorted(keys))
    with duckdb.connect() as connection:
        log = read_loads(files, loads, ("export_file", "line"))
        return connection.execute(
            f"""SELECT row_key, export_file, TRY_CAST(line AS BIGINT) FROM {log} AS log
            WHERE {identifier("row_key")} IN ({listed})
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal DESC) = 1 ORDER BY ALL"""
        ).fetchall()
