"""Say what a home holds, so that a disturbed one can be compared with one that was left alone."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines.lake.loads import committed_files, committed_loads, read_loads
from tests.builders.checkout import PROJECT

# When something was loaded differs from run to run; what was loaded does not.
_WHEN = {"loaded_until", "model_version"}
_ENDLESS = 1800  # seconds after which a command is taken for one that never ends
Rows = list[tuple[str, ...]]  # each value as text, with its column: `cost: Decimal('1.00')`
_LOADS = ("load_id", "loaded_at", "ordinal", "_dlt_load_id", "_dlt_id")


def copied(home: Path, target: Path) -> Path:
    """Return a copy of a home, to disturb."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(home, target, symlinks=True)
    return target


def start(home: Path, *command: str, **options) -> subprocess.Popen:
    """Start `python -m pipelines` on a home, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines", *command],
        cwd=PROJECT,
        env={**os.environ, "ATTRIBUTION_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def run(home: Path, *command: str, **options) -> tuple[int, str]:
    """Run `python -m pipelines` on a home to its end; return its exit status and what it printed."""
    process = start(home, *command, **options)
    try:
        printed, _ = process.communicate(timeout=_ENDLESS)
    except subprocess.TimeoutExpired:
        kill(process)
        return -1, f"it did not end within {_ENDLESS} seconds"
    return process.returncode, printed


def kill(process: subprocess.Popen) -> None:
    """Kill a command and all the processes that it started, as `kill -9` does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def published(home: Path, client: str, without: Iterable[str] = ()) -> dict[str, Rows]:
    """Return the rows of a client's published files, as text and in order; nothing before the first.

    Columns that say when, and those `without`, are left out.
    """
    if not (home / f"published/{client}.duckdb").exists():
        return {}
    with duckdb.connect() as reader:
        reader.execute(f"ATTACH '{home}/published/{client}.duckdb' AS files (READ_ONLY)")
        ((version,),) = reader.execute("SELECT version FROM files.main.version").fetchall()
        # The home is a copy, and the views name the files of the one that it was copied from.
        files = sorted((home / "published" / client / version).glob("*.parquet"))
        return {file.stem: _rows(reader, file, {*_WHEN, *without}) for file in files}


def _rows(reader: duckdb.DuckDBPyConnection, file: Path, left_out: set[str]) -> Rows:
    return _texts(reader.read_parquet(str(file)), left_out)


def _texts(rows: duckdb.DuckDBPyRelation, left_out: Iterable[str]) -> Rows:
    kept = [name for name in rows.columns if name not in left_out]
    found = rows.select(", ".join(kept)).fetchall()
    return sorted(tuple(f"{name}: {value!r}" for name, value in zip(kept, row)) for row in found)


def log(home: Path, client: str) -> dict[str, Rows]:
    """Return the rows of a client's lake by source and table, without when each was loaded."""
    folders = {marker.parent for marker in (home / "lake" / client).glob("*/_dlt_loads")}
    return {
        f"{folder.name}.{table}": _log(folder, table)
        for folder in sorted(folders)
        for table in sorted(each.name for each in folder.iterdir() if each.is_dir())
        if not table.startswith("_dlt") and table != "exports"
    }


def _log(folder: Path, table: str) -> Rows:
    loads = committed_loads(str(folder))
    files = committed_files(str(folder), table, loads)
    if not files:
        return []
    with duckdb.connect() as connection:
        return _texts(connection.sql(f"FROM {read_loads(files, loads)} AS log"), _LOADS)


def lake_bytes(home: Path, client: str) -> str:
    """Return a digest of every Parquet file of a client's lake, byte for byte."""
    digest = hashlib.sha256()
    for file in sorted((home / "lake" / client).rglob("*.parquet")):
        digest.update(str(file.relative_to(home)).encode() + file.read_bytes())
    return digest.hexdigest()


def same(mine: dict[str, Rows], twin: dict[str, Rows]) -> str:
    """Return the first difference between two homes; nothing if there is none."""
    for table in sorted(mine.keys() | twin.keys()):
        ours, theirs = mine.get(table, []), twin.get(table, [])
        if ours != theirs:
            return f"{table}: {len(ours)} rows, not {len(theirs)}; {_apart(ours, theirs)}"
    return ""


def _apart(ours: Rows, theirs: Rows) -> str:
    """Return a row that the other has not; where it has one much like it, only what differs of that.

    Example: `warnings: None, but warnings: 'web: no session on 2026-11-26'`.
    """
    extra = next((row for row in ours if row not in theirs), ())
    missing = [row for row in theirs if row not in ours]
    alike = min(missing, key=lambda row: len({*extra} - {*row}), default=())
    if len({*extra} & {*alike}) * 2 < len(extra):
        return ", ".join(extra or alike)
    pairs = [(one, other) for one, other in zip(extra, alike) if one != other]
    return "; ".join(f"{one}, but {other}" for one, other in pairs) or ", ".join(extra or alike)
