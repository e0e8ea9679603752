"""Read an export's files into DuckDB, every value as the text that was delivered."""

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BufferedReader
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import duckdb
import pyarrow as pa

from pipelines.contracts.contract import Contract
from pipelines.disk import disk_problem
from pipelines.settings.exports import Export
from pipelines.settings.limits import Limits
from pipelines.sources.batches import (
    Batch,
    ChangedMeanwhile,
    ExportError,
    FetchRequest,
    Open,
    Reading,
    Rows,
)
from pipelines.sources.files import parquet_files, places, sqlite, text_files
from pipelines.sources.files.column_mapping import shaped
from pipelines.sources.files.names_to_read import wanted
from pipelines.sources.files.not_readable import not_readable
from pipelines.sources.files.plain_files import DELIMITED, JSON, kind_of, plain
from pipelines.sources.files.unpacking import check_parquet, padded
from pipelines.sources.files.unreadable import unknown_format
from pipelines.sources.files.wanted_names import Wanted
from pipelines.sql import only_row


def batches(request: FetchRequest, export: Export, table: str, contract: Contract) -> list[Batch]:
    """Return an export's files as batches. Raise ExportError if there is none, or one is not readable."""
    found = places.found(request.client, export.pattern)
    if not found:
        raise ExportError(f"no file matches {export.files}; deliver it, or correct `files:`")
    return [_batch(request, export, table, contract, path) for path in found]


def _batch(
    request: FetchRequest, export: Export, table: str, contract: Contract, path: Path
) -> Batch:
    try:
        with places.opened(request.client, path) as file:
            changed, content = fingerprint(file)
    except OSError as error:
        raise not_readable(error, path) from None

    def opening(by: Export) -> Open:
        return partial(_opened, request, path, contract, by, changed)

    name = places.shown(path)
    return Batch(table, name, content, path, opening(export), file_time=changed, opening=opening)


def fingerprint(file: BufferedReader) -> tuple[int, str]:
    """Return when an open file was last changed, and the SHA-256 of its content."""
    return os.fstat(file.fileno()).st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(
    request: FetchRequest,
    path: Path,
    contract: Contract,
    export: Export,
    changed: int,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Rows]:
    """Yield the rows of a client's file, from where it was checked to lie."""
    try:
        with ExitStack() as held:
            file = held.enter_context(places.opened(request.client, path))
            link = held.enter_context(places.as_path(file, path, request.folder))
            yield held.enter_context(
                opened(link, contract, export, request.client.limits, changed, connection)
            )
    except OSError as error:
        if disk_problem(error):
            raise
        raise not_readable(error, path) from None
    except ExportError as error:
        error.file = error.file and path  # not the link, which is gone
        raise


@contextmanager
def opened(
    path: Path,
    contract: Contract,
    export: Export,
    limits: Limits,
    changed: int,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Rows]:
    """Yield a file's rows, in their order, with the contract's columns.

    Raise ExportError if it cannot be read, lacks a column, or is changed meanwhile.
    """
    names = wanted(export, contract)
    with as_delivered(path, export, limits, changed, connection, lambda _: names) as found:
        yield _shaped(*found, contract)


@contextmanager
def as_delivered(
    path: Path,
    export: Export,
    limits: Limits,
    changed: int,
    connection: duckdb.DuckDBPyConnection,
    names: Callable[[Reading], Wanted],
) -> Iterator[tuple[Reading, Rows]]:
    """Yield a file's rows with the export's own columns, and how they are read.

    `names` says which columns are worth reading: it is asked of the file, and of its plain copy.
    Raise ExportError if it cannot be read, or is changed meanwhile.
    """
    try:
        with ExitStack() as open_files:
            if path.stat().st_size == 0:
                raise ExportError("the file is empty; deliver it again", path)
            reading = Reading(connection, path, export, Wanted.all_of(()), open_files, set())
            with _unchanged(path, changed), _named(path):
                copies = open_files.enter_context(_copies(connection))
                reading = reading._replace(wanted=names(reading))
                reading = reading._replace(path=plain(reading, limits, copies))
                reading = reading._replace(wanted=names(reading))
                reader = _READERS.get(kind_of(reading.path))
                if reader is None:
                    raise unknown_format(reading.path, _KNOWN)
                if reader is parquet_files.read:
                    check_parquet(connection, reading.path, limits)
                yield reading, reader(reading)
    except (OSError, EOFError, zlib.error) as error:
        if disk_problem(error):
            raise
        raise not_readable(error, path) from None
    except (duckdb.Error, pa.ArrowInvalid) as error:
        if disk_problem(error):
            raise
        if isinstance(error, duckdb.OutOfMemoryException):
            raise ExportError(_TOO_LARGE, path) from None
        line = str(error).strip().splitlines()[0].partition(" Detail: ")[0]
        if "not a GZIP stream" in line:  # it was unpacked to its end before, but for zeros
            raise padded(path) from None
        if "Invalid UTF8" in line:
            raise ExportError("a text in it is not UTF-8; write its texts as UTF-8", path) from None
        line = _PLACE.sub(f'"{path.name}"', line)
        raise not_readable(error, path, line) from None


_PLACE = re.compile('"/[^"]+"')  # of the file, or of its copy
_TOO_LARGE = "it holds more at once than is kept in memory, as a value of many megabytes does; leave that out"


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name a file in errors as it was delivered, where a copy of it is read."""
    try:
        yield
    except ExportError as error:
        if error.file:
            error.file, error.name = path, path.name
        raise


@contextmanager
def _copies(connection: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """Yield a folder for copies, which are gone afterwards; it is made by the first that is written.

    Each opening has its own: a file may be opened again, to be looked up in, while it is read.
    """
    (spill,) = only_row(connection.execute("SELECT current_setting('temp_directory')"))
    folder = Path(spill, f"copies-{uuid4().hex}")
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


@contextmanager
def _unchanged(path: Path, changed: int) -> Iterator[None]:
    """Raise ExportError if a file was changed since a time, whatever else is wrong with it then."""
    try:
        yield
    finally:
        if path.stat().st_mtime_ns != changed:
            raise ChangedMeanwhile(
                "it changed while it was read; run it again once it is done", path
            )


def _shaped(reading: Reading, rows: Rows, contract: Contract) -> Rows:
    """Return the rows with the contract's columns; when they are read again, too."""
    refused, again = partial(ExportError, file=reading.path), rows.again
    export, connection = reading.export, reading.connection
    found = shaped(connection, rows, export, contract, refused, reading.open_files)
    return found._replace(again=again and (lambda: _shaped(reading, again(), contract)))


_READERS: dict[str, Callable[..., Rows]] = {
    **dict.fromkeys(DELIMITED, text_files.read_csv),
    **dict.fromkeys(JSON, text_files.read_jsonl),
    ".parquet": parquet_files.read,
    ".sqlite": sqlite.read,
    ".sqlite3": sqlite.read,
    ".db": sqlite.read,
    ".tsv": text_files.read_tsv,
}
_KNOWN = [*_READERS, ".xlsx"]
