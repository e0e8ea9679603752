"""Merge the many small files of a client's log into few, beside everybody who reads it.

A load leaves a file in each table that it has rows of, and a marker: thirty clients make 130,000 files a year.
Here the small files of a table become one, in which each row says which load it came with. Nothing else
changes: no load has another id, another time or another row.

1. The merged file is written under a hidden name and named once it is on disk; nobody reads it yet.
2. It is compared with the files that it is made of, load by load.
3. The record (merged_files.py) is replaced: from that moment on readers read the merged file.
4. A day later, when nobody is left who found the small files, these are removed.

Killed at any point, the next one goes on: what stands in no record is removed, and made again. The source's
lock is held meanwhile, so nothing is appended; where an ingest has it, its folders wait for another day.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import duckdb
import pyarrow.parquet as pq

from pipelines.files import replacing, sync_folder
from pipelines.lake.append import alone_at_once, source_folder
from pipelines.lake.loads import (
    committed_files,
    committed_loads,
    load_of,
    marker_lines,
    rows_with_load,
)
from pipelines.lake.merged_files import LOAD_ID, RECORD, merged_files, read_record
from pipelines.lake.rewriting import clear_unfinished, rewrite, sources_in_lake
from pipelines.sql import file_literal

FEW = 8  # small files of one kind, from which on they are merged
SMALL = 32 << 20  # bytes, below which a file is small
_TOGETHER = 4 * SMALL  # bytes of the files that are merged into one, at most
_MANY = 500  # files that are merged into one, at most
READERS_STAY = timedelta(days=1)  # whoever found a file before it was replaced has read it by then


class MergeError(Exception):
    """A merged file that is not what its small ones are; the text names it. The small ones stay in force."""


class Merged(NamedTuple):
    """How many files were merged into how many, and how many of earlier days were removed."""

    files: int = 0
    into: int = 0
    removed: int = 0

    def __add__(self, other: tuple) -> "Merged":
        return Merged(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _Piece(NamedTuple):
    """Files that are merged as one: all of one load in a table, or one that was merged before."""

    files: list[Path]
    loads: list[str]
    columns: dict[str, str]  # name → type
    size: int


def merge(client: str, now: datetime, is_over: Callable[[], bool] = lambda: False) -> Merged:
    """Merge what is small in a client's log, folder by folder, until it is over; say how much.

    `now` is UTC. Raise MergeError where a merged file is not what it is made of.
    """
    done = Merged()
    for source in sources_in_lake(client):
        for folder in folders(source_folder(client, source)):
            if is_over():
                return done
            with alone_at_once(client, source) as is_free:
                if is_free:
                    clear_unfinished(folder)
                    done += _merge_folder(folder, now, is_over)
    return done


def folders(source: Path) -> Iterator[Path]:
    """Yield the folders of a source's tables, then that of its markers."""
    return (each for each in sorted(source.iterdir(), reverse=True) if _has_loads(each))


def _has_loads(folder: Path) -> bool:
    return folder.is_dir() and (not folder.name.startswith("_") or folder.name == "_dlt_loads")


def _merge_folder(folder: Path, now: datetime, is_over: Callable[[], bool]) -> Merged:
    done = Merged(removed=_remove_replaced(folder, now))
    if folder.name == "_dlt_loads":
        return done + _merge_markers(folder, now)
    for pieces in _batches(_small_pieces(folder)):
        if not is_over():
            done += _merge_pieces(folder, pieces, now)
    return done


def _small_pieces(folder: Path) -> list[_Piece]:
    """Return what is small in a table's folder, the oldest load first."""
    loads = committed_loads(str(folder.parent))
    merged, pieces = merged_files(folder), dict[str, _Piece]()
    for file in map(Path, committed_files(str(folder.parent), folder.name, loads)):
        ids = merged.get(file.name, [load_of(file)])
        before = pieces.get(ids[0], _Piece([], ids, {}, 0))
        size = before.size + file.stat().st_size
        pieces[ids[0]] = _Piece([*before.files, file], ids, {}, size)
    return [each for each in pieces.values() if each.size < SMALL]


def _batches(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Return pieces that can be one file: their columns have the same types, they are neither few nor too much."""
    if sum(len(each.files) for each in pieces) < FEW:
        return []
    batches: list[_Piece] = []
    together: list[list[_Piece]] = []
    for piece in pieces:
        piece = piece._replace(columns=_columns(piece.files))
        for place, batch in enumerate(batches):
            if _fits(batch, piece):
                batches[place] = _joined(batch, piece)
                together[place].append(piece)
                break
        else:
            batches.append(piece)
            together.append([piece])
    return [each for each in together if sum(len(piece.files) for piece in each) >= FEW]


def _fits(batch: _Piece, piece: _Piece) -> bool:
    is_alike = all(batch.columns.get(name, kind) == kind for name, kind in piece.columns.items())
    is_little = batch.size + piece.size <= _TOGETHER
    return is_alike and is_little and len(batch.files) + len(piece.files) <= _MANY


def _joined(batch: _Piece, piece: _Piece) -> _Piece:
    return _Piece(
        batch.files + piece.files,
        batch.loads + piece.loads,
        batch.columns | piece.columns,
        batch.size + piece.size,
    )


def _columns(files: list[Path]) -> dict[str, str]:
    """Return the names of files' columns with their types; where they differ, with all of them."""
    found: dict[str, str] = {}
    for field in (field for file in files for field in pq.read_schema(file)):
        kind = str(field.type)
        known = found.get(field.name, kind)
        found[field.name] = kind if known == kind else f"{known}, {kind}"
    return found


def _merge_pieces(folder: Path, pieces: list[_Piece], now: datetime) -> Merged:
    files = [file for piece in pieces for file in piece.files]
    rows = rows_with_load([str(file) for file in files])
    target = folder / f"merged-{uuid4().hex[:12]}.parquet"
    with duckdb.connect(config={"threads": 1, "memory_limit": "512MB"}) as connection:
        rewrite(connection, target, rows)
        if _digest(connection, rows) != _digest(
            connection, f"FROM read_parquet({file_literal(target)})"
        ):
            target.unlink()
            raise MergeError(
                f"{'/'.join(target.parts[-4:])} does not hold what its {len(files)} files hold, which stay"
                " in force: report it"
            )
    _replace(folder, files, target, [load for piece in pieces for load in piece.loads], now)
    return Merged(len(files), 1)


def _digest(connection: duckdb.DuckDBPyConnection, rows: str) -> list[tuple]:
    """Return how many rows each load has, and a sum over all they say."""
    found = connection.execute(
        f"""SELECT {LOAD_ID}, COUNT(*), SUM(HASH(log)) FROM ({rows}) AS log GROUP BY ALL ORDER BY ALL"""
    )
    return found.fetchall()


def _merge_markers(folder: Path, now: datetime) -> Merged:
    """Merge markers: a merged one has their lines. One that was torn tells of no load, and goes."""
    replaced = read_record(folder)["replaced"]
    files = [each for each in sorted(folder.glob("*.jsonl")) if each.name not in replaced]
    if len(files) < FEW:
        return Merged()
    lines = dict.fromkeys(line for file in files for line in marker_lines(file) if _is_whole(line))
    target = folder / f"{folder.parent.name}__merged-{uuid4().hex[:12]}.jsonl"
    with replacing(target, sync=True) as unfinished:
        unfinished.write_text("\n".join(lines), encoding="utf-8")
    sync_folder(folder)
    _replace(folder, files, target, [], now)
    return Merged(len(files), 1)


def _is_whole(line: str) -> bool:
    try:
        return "load_id" in json.loads(line)
    except (ValueError, TypeError):
        return False


def _replace(
    folder: Path, files: list[Path], target: Path, loads: list[str], now: datetime
) -> None:
    """Put a merged file in force, in the place of others."""
    record = read_record(folder)
    gone = {file.name for file in files}
    merged = {name: ids for name, ids in record["merged"].items() if name not in gone}
    if loads:
        merged[target.name] = loads
    replaced = record["replaced"] | dict.fromkeys(sorted(gone), now.isoformat())
    _write(folder, {"merged": merged, "replaced": replaced})


def _remove_replaced(folder: Path, now: datetime) -> int:
    """Remove what was replaced a day ago, and merged files that a killed process never put in force."""
    record = read_record(folder)
    merged, replaced = record["merged"], record["replaced"]
    unknown = [each for each in folder.glob("merged-*.parquet") if each.name not in merged]
    old = [
        name for name, at in replaced.items() if datetime.fromisoformat(at) + READERS_STAY <= now
    ]
    gone = [
        *(each for each in unknown if each.name not in replaced),
        *(folder / name for name in old),
    ]
    for file in gone:
        file.unlink(missing_ok=True)
    if old:
        left = {name: at for name, at in replaced.items() if name not in old}
        _write(folder, {"merged": merged, "replaced": left})
    return len(gone)


def _write(folder: Path, record: dict[str, dict]) -> None:
    with replacing(folder / RECORD, sync=True) as unfinished:
        unfinished.write_text(json.dumps(record, indent=0), encoding="utf-8")
    sync_folder(folder)
