"""Look at lines of a delimited file with all of their values, those too that nobody reads."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from pipelines.sources.batches import Rows
from pipelines.sources.files.header_lines import values
from pipelines.sources.files.second_headers import Line
from pipelines.sql import literal


def of_rows(
    connection: duckdb.DuckDBPyConnection, rows: Rows, numbers: Sequence[int]
) -> Iterator[Line]:
    """Yield rows by their numbers."""
    if not numbers:
        return
    texts = ", ".join(f"c{place}" for place in range(len(rows.header)))
    found = connection.execute(
        f"""SELECT number, line, found FROM (
          SELECT {rows.number} AS number, {rows.line} AS line, [{texts}] AS found FROM {rows.relation}
        ) WHERE number IN ({", ".join(map(str, numbers))})"""
    ).fetchall()
    for number, line, found_texts in found:
        yield Line(line, [text or "" for text in found_texts], number)


def of_rejects(
    connection: duckdb.DuckDBPyConnection, rows: Rows, rejects: Path, most: int
) -> list[tuple[Line, str]]:
    """Return the lines that are no rows, but for records of several lines, each with its reason."""
    found = connection.execute(
        f"""SELECT line, LEFT(content, 10000), reason FROM read_parquet({literal(str(rejects))})
        WHERE COALESCE(lines, 1) = 1 ORDER BY line DESC LIMIT {most}"""
    ).fetchall()
    return [
        (Line(line, values(content or "", rows.mark)), reason) for line, content, reason in found
    ]


def last_line_before(
    connection: duckdb.DuckDBPyConnection, rows: Rows, line: int | None, without: Sequence[int]
) -> tuple[int, int]:
    """Return in which line the last row before a line ends, and how many rows there are up to it.

    Some are passed over, by their numbers.
    """
    before = f"line < {line}" if line else "TRUE"
    other = f"number NOT IN ({', '.join(map(str, without))})" if without else "TRUE"
    found = connection.execute(
        f"""SELECT MAX(line + lines - 1), MAX(number) FROM (
          SELECT {rows.number} AS number, ({rows.line})::BIGINT AS line, ({rows.lines})::BIGINT AS lines
          FROM {rows.relation}
        ) WHERE {before} AND {other}"""
    ).fetchone()
    last, count = found or (None, None)
    return last or rows.header_line, count or 0
