"""Read JSON that is no list of lines: an array, or objects that go on over lines."""

from pathlib import Path

import duckdb

from pipelines.sources.batches import ExportError
from pipelines.sql import file_literal, literal

_LARGEST = 32_000_000  # bytes of one object


def is_of_lines(head: bytes, kind: str) -> bool:
    """Return whether JSON that begins so is an object a line, as a file called `.jsonl` is but for arrays."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        return False
    return kind != ".json" or text.partition(b"\n")[0].strip() != b"{"


def write_lines(connection: duckdb.DuckDBPyConnection, path: Path, target: Path) -> None:
    """Write the values of a file a line each.

    Raise ExportError if an array is not closed: DuckDB takes one that is cut behind a comma for a whole.
    """
    with path.open("rb") as file:
        is_array = file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        file.seek(max(0, path.stat().st_size - 1000))
        if is_array and not file.read().rstrip().endswith(b"]"):
            raise ExportError(
                "its array is not closed at the end: it is torn; deliver it again", path
            )
    connection.execute(
        f"""COPY (SELECT json FROM read_json({file_literal(path)}, records = false,
          columns = {{json: 'JSON'}}, maximum_object_size = {_LARGEST},
          format = '{"array" if is_array else "unstructured"}'))
        TO {literal(str(target))} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"""
    )
