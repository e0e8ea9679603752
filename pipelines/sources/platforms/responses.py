"""Write what a platform answered to a file until it is loaded, a row a line in JSON, and read it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from pipelines.sources.batches import Batch, Coverage, ExportError, Rows
from pipelines.sql import literal


def written(
    folder: Path,
    source: str,
    table: str,
    covers: Coverage,
    pages: Iterable[list[dict]],
    columns: dict[str, str],
) -> Batch:
    """Write a platform's pages to a file, and return it as a batch.

    `columns` has SQL for each of the contract's columns, over `answer`, the JSON of a row.
    """
    name = "/".join(part for part in (source, table, *covers) if part)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.jsonl"
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for page in pages:
            lines = "".join(json.dumps(row, sort_keys=True) + "\n" for row in page).encode()
            digest.update(lines)
            file.write(lines)
    return Batch(
        table, name, digest.hexdigest(), path, partial(_opened, path, name, columns), covers
    )


@contextmanager
def _opened(
    path: Path, name: str, columns: dict[str, str], connection: duckdb.DuckDBPyConnection
) -> Iterator[Rows]:
    try:
        if path.stat().st_size:
            reading = (
                f"read_json({literal(str(path))}, format = 'newline_delimited', records = false,"
            )
            yield Rows(f"{reading} columns = {{answer: 'JSON'}})", columns)
        else:
            yield Rows("(SELECT NULL::JSON AS answer WHERE FALSE)", columns)
    except duckdb.Error as error:
        line = str(error).strip().splitlines()[0]
        raise ExportError(f"{name}: not readable: {line}; the next run tries again") from None


def text(path: str) -> str:
    """Return SQL for the text at a JSON path, `metrics.clicks`."""
    return f"(answer->>'$.{path}')"


def zero_if_absent(path: str) -> str:
    """Return SQL for the number at a JSON path; a platform that leaves out zeros means zero."""
    return f"COALESCE(answer->>'$.{path}', '0')"


def micros(path: str) -> str:
    """Return SQL for the money at a JSON path in millionths; absent is zero."""
    number = zero_if_absent(path)
    return f"COALESCE((TRY_CAST({number} AS DECIMAL(18, 0)) * 0.000001)::TEXT, {number})"
