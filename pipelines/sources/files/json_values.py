"""Read JSON that is no list of lines: an array, or objects that go on over lines.

An answer of an API, `{"data": [...], "paging": ...}`, is one object whose rows lie in a list: it may be one page of
several, so the list alone is asked for.
"""

from pathlib import Path

import duckdb

from pipelines.sources.batches import ExportError
from pipelines.sources.files.wanted_names import Wanted
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


def may_be_answer(head: bytes) -> bool:
    """Return whether a file that begins so may be one object: it does not end with its first line."""
    line, _, others = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    return line.startswith(b"{") and not (line.rstrip().endswith(b"}") and others.strip())


def refuse_answer(connection: duckdb.DuckDBPyConnection, path: Path, wanted: Wanted) -> None:
    """Raise ExportError if a file is one object that has none of the wanted columns, and lists of objects."""
    with path.open("rb") as file:
        head = file.read(_LARGEST + 1)
    if len(head) > _LARGEST:
        return
    found = connection.execute(
        """SELECT json_keys(text), list_filter(json_keys(text),
          lambda name: json_type(text, '/' || REPLACE(REPLACE(name, '~', '~0'), '/', '~1') || '/0') = 'OBJECT')
        FROM (SELECT CASE WHEN json_valid(text) THEN text::JSON END AS text FROM (SELECT ? AS text))""",
        [head.decode(errors="replace").removeprefix("\ufeff")],
    ).fetchall()
    ((keys, lists),) = found
    if not lists or wanted.held(keys):
        return
    name = lists[0]
    raise ExportError(
        f"it is one object, as an API answers, whose rows lie in its list '{name}'; it has {', '.join(keys)}. Export"
        f" that list alone, of all pages: jq -c '.\"{name}\"[]' {path.name} > rows.jsonl",
        path,
    )
