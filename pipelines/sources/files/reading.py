"""Read an export's files into DuckDB, every value as the text that was delivered."""

import csv
import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.contracts.contract import Contract
from pipelines.home import home
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Reading, Rows
from pipelines.sources.files import snowplow, sqlite
from pipelines.sources.files.columns import shaped, wanted
from pipelines.sql import BLANKS, identifier, literal


def batches(export: Export, table: str, contract: Contract) -> list[Batch]:
    """Return an export's files as batches. Raise ExportError if there is none."""
    found = sorted(home().glob(export.files))
    if not found:
        raise ExportError(f"no file matches {export.files}; deliver it, or correct `files:`")
    return [
        Batch(table, shown(path), content, path, partial(opened, path, contract, export, state))
        for path in found
        for state, content in [fingerprint(path)]
    ]


def fingerprint(path: Path) -> tuple[int, str]:
    """Return when a file was last changed, and what tells its content: its SHA-256.

    Raise ExportError if it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ExportError("it is no file, but a folder or the like; deliver a file", path)
        with path.open("rb") as file:
            changed = os.fstat(file.fileno()).st_mtime_ns
            return changed, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"not readable: {error.strerror}; deliver it again", path) from None


def shown(path: Path) -> str:
    """Return what a file is called in the lake: its path from the data's home."""
    return path.relative_to(home()).as_posix()


@contextmanager
def opened(
    path: Path,
    contract: Contract,
    export: Export,
    changed: int,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Rows]:
    """Yield a file's rows, in their order, with the contract's columns.

    Raise ExportError if it cannot be read, lacks a column, or is changed meanwhile.
    """
    reader = _READERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if reader is None:
        raise ExportError(f"unknown format; deliver one of {', '.join(_READERS)}", path)
    try:
        with ExitStack() as open_files:
            if path.stat().st_size == 0:
                raise ExportError("the file is empty; deliver it again", path)
            if path.suffix.lower() == ".gz":
                _unpack(path)
            reading = Reading(connection, path, export, wanted(export, contract), open_files)
            refused = partial(ExportError, file=path)
            yield shaped(connection, reader(reading), export, contract, refused, open_files)
        if path.stat().st_mtime_ns != changed:
            raise ExportError("it changed while it was read; run it again once it is done", path)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"not readable: {reason}; deliver it again", path) from None
    except (duckdb.Error, pa.ArrowInvalid) as error:
        line = str(error).strip().splitlines()[0].partition(" Detail: ")[0]
        raise ExportError(f"not readable: {line}; deliver it again", path) from None


def _unpack(path: Path) -> None:
    """Unpack a file to its end, or raise what is wrong: DuckDB takes half of one for a whole."""
    with gzip.open(path) as file:
        while file.read(1 << 20):
            pass


def _csv(reading: Reading) -> Rows:
    """Read by RFC 4180, in UTF-8; of the dialect only the delimiter is guessed, by the header."""
    path = reading.path
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        head = (file.readline(1_000_000).splitlines() or [b""])[0]
    try:
        text = head.decode("utf-8-sig")
        readings = [next(csv.reader([text], delimiter=mark), []) for mark in ",;\t|"]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExportError(
            f"its header is not readable: {error}; deliver it as UTF-8", path
        ) from None
    mark, header = max(zip(",;\t|", readings), key=lambda reading: len(reading[1]))
    header = [name.strip() for name in header]
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise ExportError(f"column {', '.join(twice)} is there twice; deliver it once", path)
    types = ", ".join(f"c{place}: 'TEXT'" for place in range(len(header)))
    reading.open_files.callback(_forget_rejects, reading.connection)
    return Rows(
        f"""read_csv({_glob(path)}, header = true, delim = '{mark}', quote = '"', escape = '"',
        columns = {{{types}}}, auto_detect = false, store_rejects = true)""",
        {name: f"c{place}" for place, name in enumerate(header)},
        line="number + 1",
        rejects=_REJECTS,
    )


def _tsv(reading: Reading) -> Rows:
    """Read Snowplow's enriched events: a tab between values, no header, no quotes."""
    if reading.export.format != "snowplow":
        raise ExportError(".tsv is read with `format: snowplow`; name it .csv", reading.path)
    types = ", ".join(f"{name}: 'TEXT'" for name in snowplow.COLUMNS)
    reading.open_files.callback(_forget_rejects, reading.connection)
    return Rows(
        f"""read_csv({_glob(reading.path)}, header = false, delim = '\t', quote = '', escape = '',
        columns = {{{types}}}, auto_detect = false, store_rejects = true)""",
        {name: name for name in snowplow.COLUMNS},
        rejects=_REJECTS,
    )


def _jsonl(reading: Reading) -> Rows:
    """Read a line at a time: where one holds no JSON object, its neighbours still do."""
    connection, path = reading.connection, reading.path
    reading.open_files.callback(_forget_rejects, connection)
    lines = f"""read_csv({_glob(path)}, header = false, delim = '\x01', quote = '', escape = '',
        columns = {{text: 'TEXT'}}, auto_detect = false, store_rejects = true, strict_mode = false)"""
    is_object = "(json_valid(text) AND STARTS_WITH(LTRIM(text), '{'))"
    is_blank = f"TRIM(text, {literal(BLANKS)}) = ''"
    found = connection.execute(
        f"""SELECT DISTINCT UNNEST(COALESCE(
          TRY(IF(STARTS_WITH(LTRIM(text), '{{'), json_keys(text), NULL)), IF(text = '', [], [NULL])
        )) FROM {lines}"""
    ).fetchall()
    _forget_rejects(connection)
    keys = {key for (key,) in found if key is not None}
    if not keys:
        raise ExportError("no line holds a JSON object; deliver one a line, as UTF-8", path)
    read = sorted(reading.wanted & keys)
    paths = (
        ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in read) or "''"
    )
    numbered = f"SELECT text, ROW_NUMBER() OVER () AS line FROM {lines}"
    torn = f"""UNION ALL SELECT line, text, 'the line holds no JSON object' FROM ({numbered})
        WHERE NOT {is_object} AND NOT {is_blank}"""
    has_torn = (None,) in found  # few have: looking for them again takes as long as reading
    return Rows(
        f"""(SELECT line, json_extract_string(text, [{paths}]) AS fields
        FROM ({numbered}) WHERE {is_object if has_torn else "text <> ''"})""",
        dict.fromkeys(keys, "NULL")
        | {key: f"fields[{place}]" for place, key in enumerate(read, 1)},
        line="line",
        rejects=f"{_REJECTS} {torn if has_torn else ''}",
    )


def _parquet(reading: Reading) -> Rows:
    """Read what is nested as JSON; a format knows its own."""
    path = _glob(reading.path)
    relation = f"read_parquet({path})"
    columns = reading.connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    is_formatted = bool(reading.export.format)
    is_numbered = "file_row_number" in (name.lower() for name, *_ in columns)
    return Rows(
        relation if is_numbered else f"read_parquet({path}, file_row_number = true)",
        {
            name: f"to_json({identifier(name)})"
            if re.search(r"[(\[]", kind) and not is_formatted
            else identifier(name)
            for name, kind, *_ in columns
        },
        number="ROW_NUMBER() OVER ()" if is_numbered else "file_row_number + 1",
        nested=is_formatted,
    )


_REJECTS = "SELECT line, MIN(csv_line), MIN(error_message) FROM reject_errors GROUP BY line"


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")


def _glob(path: Path) -> str:
    """Return a path for DuckDB, to which `[1]` is a pattern: `[[]1]` is not."""
    return literal(re.sub(r"([*?[])", r"[\1]", str(path)))


_READERS: dict[str, Callable[..., Rows]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".sqlite": sqlite.read,
    ".sqlite3": sqlite.read,
    ".db": sqlite.read,
    ".tsv": _tsv,
}
