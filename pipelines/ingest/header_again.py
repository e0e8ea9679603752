"""Find header lines below the header of a CSV file: files that were joined by `cat` have them.

The same header again is no row, and nothing is lost without it: it is left out, and said. Another one
says that the rows below it have another order, or other columns: they would be read as something else,
and all of them might look right. So the file is refused.
"""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.raw_lines import of_rows
from pipelines.ingest.taken_out import take_out
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Rows
from pipelines.sources.files.names_to_read import wanted
from pipelines.sources.files.second_headers import AROUND, Header, Line, cells, plain
from pipelines.sql import literal

_MOST = 1_000  # lines that are looked at
_SHOWN = 100  # letters of a header


def leave_out_headers(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    export: Export,
    batch: Batch,
    rows: Rows,
    files: Sequence[Path],
    rejects: Path,
    ordinals_used: int,
) -> tuple[list[int], list[str]]:
    """Take the header's repetitions out of files of judged rows, of which the first has all rows.

    Return the lines where they were, and what is to be said of them. Raise ExportError if one is another header.
    """
    if not rows.header:
        return [], []
    names = plain(rows.header)
    read = set(plain(wanted(export, contract).held(rows.header)))
    header = Header(names, read)
    numbers = _suspects(connection, contract, rows, names, files[0], ordinals_used)
    lines = [*of_rows(connection, rows, numbers), *_as_rejects(connection, read, rejects)]
    same = [each for each in lines if header.is_same(each)]
    others = [each for each in lines if each not in same and header.is_other(each)]
    if others:
        raise _refusal(batch, rows, sorted(others, key=_number))
    if not same:
        return [], []
    take_out(connection, files, [ordinals_used + (each.row or 0) for each in same])
    numbers = sorted(map(_number, same))
    return numbers, [_said(batch, numbers)]


def _number(line: Line) -> int:
    return line.number


def _suspects(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rows: Rows,
    names: list[str],
    file: Path,
    ordinals_used: int,
) -> list[int]:
    """Return the rows that hold two names of the header, or words where numbers or times belong.

    Where some value must be a number or a time, a header is a bad row.
    """
    delivered = [name for name in contract.columns if name in rows.columns and name != "is_deleted"]
    typed = [name for name in delivered if contract.columns[name].type not in ("text", "boolean")]
    listed = ", ".join(map(literal, names))
    around = literal(AROUND)
    counted = " + ".join(
        f"COALESCE((LOWER(TRIM({name}, {around})) IN ({listed}))::INT, 0)" for name in delivered
    )
    is_suspect = f"{counted} > 1"
    if typed:
        words = " AND ".join(f"NOT REGEXP_MATCHES({name}, '[0-9]')" for name in delivered)
        is_suspect = f"reason IS NOT NULL AND ({is_suspect} OR {words})"
    found = connection.execute(
        f"""SELECT ordinal - {ordinals_used} FROM read_parquet({literal(str(file))})
        WHERE {is_suspect} ORDER BY ordinal LIMIT {_MOST}"""
    ).fetchall()
    return [number for (number,) in found]


def _as_rejects(
    connection: duckdb.DuckDBPyConnection, read: Set[str], rejects: Path
) -> Iterator[Line]:
    """Yield the lines that are no rows and hold names that are read, by the delimiter that yields most."""
    held = [f"CONTAINS(LOWER(content), {literal(name)})::INT" for name in read]
    found = connection.execute(
        f"""SELECT line, LEFT(content, 10000) FROM read_parquet({literal(str(rejects))})
        WHERE {" + ".join(held) or "0"} > 1 ORDER BY line LIMIT {_MOST}"""
    ).fetchall()
    for line, content in found:
        yield Line(line, cells(content, read))


def _refusal(batch: Batch, rows: Rows, others: list[Line]) -> ExportError:
    first, more = others[0], len(others) - 1
    text = ",".join(first.values)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    also = f", as {more} more lines are" if more > 1 else ", as 1 more line is" if more else ""
    return batch.refused(
        f"line {first.number} seems to be another header{also}: '{shown}' ({_differing(rows, first)}), so what is"
        " below it would be read as something else. If several files were joined into this one, deliver each"
        f" by itself, the first up to line {first.number - 1}, or all with the same columns in one order; else take that line"
        " out"
    )


def _differing(rows: Rows, line: Line) -> str:
    """Return in which column a header differs first from the file's own."""
    ours, theirs, place_of = plain(rows.header), plain(line.values), f"line {rows.header_line}"
    for place, (own, other) in enumerate(zip(ours, theirs), 1):
        if own != other:
            return f"column {place} is '{line.values[place - 1].strip(AROUND)[:40]}', in {place_of} '{rows.header[place - 1][:40]}'"
    if len(ours) == len(theirs):
        return "the same columns, with another mark between them"
    return f"it has {len(theirs)} columns, {place_of} has {len(ours)}"


def _said(batch: Batch, lines: list[int]) -> str:
    more = f" and {len(lines) - 1} more" if lines[1:] else ""
    return (
        f"{batch.shown}: its header stands again in line {lines[0]}{more}, as in files joined into one;"
        " left out"
    )
