"""Say how much of the disk each client takes, and how much is left."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.files import write_atomically
from pipelines.home import home, lake_folder, warehouse_folder
from pipelines.published.version_folders import settled_of, versions_of, view_file
from pipelines.settings.client import Client
from pipelines.warehouse_files import file_of


class DiskUse(NamedTuple):
    """The bytes that a client takes on the disk, and the files of its lake.

    `quarantine` are bad rows and the copies of refused files, `warehouse` is the client's share of a
    file that it has with others: about so much, by the values of its tables.
    """

    lake: int
    quarantine: int
    warehouse: int
    published: int
    settled: int
    lake_files: int

    @property
    def by_part(self) -> dict[str, int]:
        """Return the bytes of each part."""
        return {name: count for name, count in self._asdict().items() if name != "lake_files"}

    @property
    def total(self) -> int:
        """Return the bytes of all parts together."""
        return sum(self.by_part.values())


def disk_use(client: Client) -> DiskUse:
    """Return what a client takes; it is counted now, but for the share of the warehouse."""
    lake = [*_files(lake_folder() / client.id)]
    set_aside = [each for each in lake if {"quarantine", "_refused"} & set(each[0].parts)]
    linked = set[tuple[int, int]]()  # a file that two versions have is there once
    return DiskUse(
        lake=_bytes(lake, set()) - _bytes(set_aside, set()),
        quarantine=_bytes(set_aside, set()),
        warehouse=round(_share(client) * _warehouse_bytes(client.shard)),
        published=_bytes([*_files(versions_of(client.id)), *_one(view_file(client.id))], linked),
        settled=_bytes(_files(settled_of(client.id)), linked),
        lake_files=len(lake),
    )


class Disk(NamedTuple):
    """The disk that the data's home is on: its bytes, and those that are free."""

    total: int
    free: int


def disk() -> Disk:
    """Return how large the disk is, and how much of it is free for the user of this process."""
    total, _, free = shutil.disk_usage(home())
    return Disk(total, free)


_CELLS = """
SELECT
  REGEXP_EXTRACT(schema_name, '^(?:sqlmesh__)?([a-z][a-z0-9]*)_', 1) AS client,
  SUM(estimated_size * column_count)::DOUBLE AS cells
FROM DUCKDB_TABLES() GROUP BY ALL
"""


def note_shares(shard: str, warehouse: duckdb.DuckDBPyConnection, at: datetime) -> None:
    """Note which share of a warehouse each client has, by the values in its tables, and when that was."""
    cells = {client: count or 0 for client, count in warehouse.execute(_CELLS).fetchall()}
    whole = sum(cells.values()) or 1
    shares = {client: count / whole for client, count in cells.items() if client}
    write_atomically(_shares_file(shard), json.dumps({"at": at.isoformat(), "shares": shares}))


def noted_at(shard: str) -> datetime | None:
    """Return when the shares of a warehouse were noted last, UTC."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return datetime.fromisoformat(json.loads(_shares_file(shard).read_text())["at"])
    return None


def _share(client: Client) -> float:
    with suppress(OSError, ValueError, LookupError, TypeError):
        return json.loads(_shares_file(client.shard).read_text())["shares"].get(client.id, 0)
    return 0


def _shares_file(shard: str) -> Path:
    return warehouse_folder() / f"{shard}.shares.json"


def _warehouse_bytes(shard: str) -> int:
    file = file_of(shard)
    return _bytes([*_one(file), *_one(file.with_suffix(".duckdb.wal"))], set())


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for above, _, names in os.walk(folder):
        for name in names:
            yield from _one(Path(above, name))


def _one(file: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with suppress(OSError):  # it went meanwhile
        yield file, file.lstat()


def _bytes(files: "Iterator | list", counted: set[tuple[int, int]]) -> int:
    """Return the bytes on the disk of files, each counted once, however many names it has."""
    total = 0
    for _, state in files:
        if (state.st_dev, state.st_ino) not in counted:
            counted.add((state.st_dev, state.st_ino))
            total += state.st_blocks * 512
    return total
