"""Append to the lake: `lake/<client>/<source>/<table>/<load_id>.<file>.parquet`, by dlt."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import dlt
import pyarrow.parquet as pq
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.filesystem import (
    CURRENT_VERSION,
    INIT_FILE_NAME,
    FilesystemClient,
)

from pipelines.files import write_atomically
from pipelines.home import lake_folder
from pipelines.lake.commit_clock import commit_time
from pipelines.lake.loads import commit_times, committed_loads, load_of
from pipelines.lake.merged_files import is_merged

os.environ.update(
    LOAD__DELETE_COMPLETED_JOBS="true",
    RESTORE_FROM_DESTINATION="false",
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="CRITICAL",
)

_one_at_a_time = Lock()  # of a process's threads: dlt keeps what it works on in globals


def source_folder(client: str, source: str) -> Path:
    """Return the folder of one client's source in the lake."""
    return lake_folder() / client / source


def working_folder(client: str) -> Path:
    """Return the folder of the files that ingest needs only while it runs."""
    return lake_folder() / client / "_pipelines"


@contextmanager
def alone(client: str, source: str) -> Iterator[None]:
    """Wait until no other process ingests the source; two would both append what is new."""
    lock = working_folder(client) / f"{source}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given back when the process ends, however it does
        yield


@contextmanager
def alone_at_once(client: str, source: str) -> Iterator[bool]:
    """Do the same without waiting: say whether no other process is at it."""
    lock = working_folder(client) / f"{source}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def scratch(client: str, name: str) -> Iterator[Path]:
    """Yield an empty folder for a while; a killed process may have left an earlier one."""
    folder = working_folder(client) / f"{name}.scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear(client: str, source: str) -> None:
    """Remove what a killed process of a source has left, unless another ingests the source now."""
    lock = working_folder(client) / f"{source}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)  # it may have ended before it made anything
    with lock.open("w") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(working_folder(client) / f"{source}.scratch", ignore_errors=True)


def append(client: str, source: str, tables: dict[str, list[Path]]) -> None:
    """Load each table's Parquet files, all in one commit: all of them are seen, or none.

    dlt moves the files as they are; their names begin with the load id. Of earlier runs only
    committed loads count. What a killed process left behind is removed, and its batches are read
    again: its working folder, its files in the lake, and files of dlt's own that may be torn.
    """
    folder = source_folder(client, source)
    loads = committed_loads(str(folder))
    for file in folder.glob("*/*.parquet"):
        if load_of(file) not in loads and not is_merged(file.name):
            file.unlink()
    for leftover in (working_folder(client) / source, folder / "_dlt_version"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INIT_FILE_NAME).write_text(_INIT)
    with _one_at_a_time:
        _load(client, source, tables)


def _load(client: str, source: str, tables: dict[str, list[Path]]) -> None:
    target = dlt.pipeline(
        pipeline_name=source,
        pipelines_dir=str(working_folder(client)),
        destination=_Lake(
            bucket_url=str(lake_folder() / client),
            layout="{table_name}/{load_id}.{file_id}.{ext}",
        ),
        dataset_name=source,
    )
    resources = [dlt.resource(_imported(files), name=table) for table, files in tables.items()]
    target.run(resources, loader_file_format="parquet", write_disposition="append")


class _Commits(FilesystemClient):
    """dlt's way to files, but for the time of a commit: dlt takes the machine's, which may go back."""

    def _store_load(self, load_id: str) -> None:
        folder = Path(self.dataset_path)
        times = commit_times(str(folder))
        if load_id in times:  # dlt tries again what it could not finish; the first time stays
            return
        with commit_time(folder.parent, max(times.values(), default=datetime.min)) as moment:
            marker = {
                "load_id": load_id,
                "schema_name": self.schema.name,
                "status": 0,
                "inserted_at": f"{moment.isoformat()}+00:00",
                "schema_version_hash": self.schema.version_hash,
            }
            name = f"{self.schema.name}__{load_id}.jsonl"
            write_atomically(folder / self.schema.loads_table_name / name, json.dumps(marker))


class _Lake(filesystem):
    """dlt's destination for files, with our time of commit."""

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        """Return what a folder can do; dlt asks nine times a load, and would read its settings each time."""
        if config is None:
            self._settings = self._settings or self.configuration(self.spec(), accept_partial=True)
            config = self._settings
        return super().capabilities(config, naming)

    _settings: Any = None

    @property
    def client_class(self) -> type[FilesystemClient]:
        """Return what dlt loads by."""
        return _Commits


# dlt writes this file once, as it makes a folder, and fails on a folder where it is missing, or where
# a killed process left half of it. dlt has no public way to repair that, so the file is written here;
# its name and version are from dlt's own module.
_INIT = json.dumps({"initial_version": CURRENT_VERSION, "current_version": CURRENT_VERSION})


def _imported(files: list[Path]) -> Iterator:
    """Yield files with their own schema: without it, dlt would write each of them again."""
    for file in files:
        schema = pq.read_schema(file)
        yield dlt.mark.with_file_import(str(file), "parquet", hints=schema.empty_table())
