"""Rewrite files of the lake in place: the same names, so the same load ids, beside readers and after any crash.

The log only grows, with two exceptions: a person who is erased leaves the rows that named them, and many
small files become few. Both take the locks of ingest, all of a client's sources in one order, so that
nothing is appended meanwhile, and replace each file by one that was written beside it whole. A reader
that has the old file open reads it to its end; one that comes later reads the new one. What a killed
process left half written has a hidden name that nobody reads; the next one removes it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from pipelines.files import replacing, sync_folder
from pipelines.home import lake_folder
from pipelines.lake.append import alone, source_folder
from pipelines.sql import file_literal


@contextmanager
def nothing_appended(client: str, sources: Iterable[str]) -> Iterator[None]:
    """Wait until no process ingests any of the sources, and let none begin meanwhile.

    Whoever locks several takes them in the order of their names, so that two never wait for each other.
    """
    with ExitStack() as locks:
        for source in sorted(set(sources)):
            locks.enter_context(alone(client, source))
            clear_unfinished(source_folder(client, source))
        yield


def sources_in_lake(client: str) -> list[str]:
    """Return the sources of which a client's lake has a log."""
    return sorted(marks.parent.name for marks in (lake_folder() / client).glob("*/_dlt_loads"))


def clear_unfinished(folder: Path) -> None:
    """Remove below a folder what a killed process had begun to write; the caller has the folder's lock."""
    for unfinished in folder.rglob(".*.new"):
        if unfinished.is_file():
            unfinished.unlink(missing_ok=True)


def rewrite(connection: duckdb.DuckDBPyConnection, file: Path, query: str) -> None:
    """Replace a Parquet file by the rows of a query, such as `FROM read_parquet('…') WHERE …`.

    The new file is on disk before it has the name, and the name before this returns.
    """
    with replacing(file, sync=True) as unfinished:
        connection.execute(f"COPY ({query}) TO {file_literal(unfinished)} (FORMAT parquet)")
    sync_folder(file.parent)
