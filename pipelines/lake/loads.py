"""Find the committed loads: no others are ever read.

A load that was killed half-way leaves files behind; dlt writes a marker for each complete one in
`_dlt_loads`. A marker that was torn by a crash does not count: its load is not read, and its files
are loaded again. Many small files may have been merged (merging.py): each row of a merged one says
which load it came with, each line of a merged marker is one of them. The macros carry this file's source
into every model, so it stays small and imports little.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pipelines.lake.merged_files import is_merged, merged_files
from pipelines.sql import literal

# SQLMesh fills a new table while "creating" it, any other while "evaluating".
READING_STAGES = ("creating", "evaluating")


def committed_loads(folder: str) -> dict[str, datetime]:
    """Return each committed load of a source's folder with the UTC time from which it is seen."""
    return {load: seen_from(moment) for load, moment in commit_times(folder).items()}


def commit_times(folder: str) -> dict[str, datetime]:
    """Return each committed load of a source's folder with the UTC time of its commit, oldest first."""
    loads: dict[str, datetime] = {}
    for marker in sorted(Path(folder, "_dlt_loads").glob("*.jsonl")):
        for line in marker_lines(marker):
            try:
                load = json.loads(line)
                name, is_whole = load["load_id"], load["status"] == 0
                moment = datetime.fromisoformat(load["inserted_at"]).astimezone(timezone.utc)
            except (ValueError, TypeError, LookupError):
                continue
            if is_whole:
                moment = moment.replace(tzinfo=None)
                loads[name] = min(loads.get(name, moment), moment)
    return dict(sorted(loads.items(), key=lambda load: load[1]))


def marker_lines(marker: Path) -> list[str]:
    """Return the lines of a marker; none if it is gone: a merged one has them by then, for a day."""
    try:
        return marker.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def seen_from(committed: datetime) -> datetime:
    """Return a time up to a minute before the commit: on the same day, in the same order.

    SQLMesh's plans end where the running minute began. A plan made in the minute of a load would
    leave out what a run has already taken, and compare new credit with newer conversions.
    """
    midnight = committed.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(committed - timedelta(minutes=1), midnight + (committed - midnight) / 2)


def committed_files(folder: str, table: str, loads: dict[str, datetime]) -> list[str]:
    """Return a table's Parquet files that hold rows of the given loads, oldest load first."""
    merged = merged_files(Path(folder, table))
    elsewhere = {load for ids in merged.values() for load in ids}
    held = {name: [load for load in ids if load in loads] for name, ids in merged.items()}
    for file in Path(folder, table).glob("*.parquet"):
        if (load := load_of(file)) in loads and load not in elsewhere:
            held[file.name] = [load]
    oldest = {name: min(loads[load] for load in ids) for name, ids in held.items() if ids}
    return [
        str(Path(folder, table, name))
        for name in sorted(oldest, key=lambda name: (oldest[name], name))
    ]


def load_of(file: Path) -> str:
    """Return the id of the load that brought a file: `<load_id>.<file>.parquet`."""
    return file.name.rsplit(".", 2)[0]


def read_loads(files: list[str], loads: dict[str, datetime], texts: Iterable[str] = ()) -> str:
    """Return SQL for the rows of committed files that came with some loads, with `load_id` and `loaded_at`.

    The columns in `texts` are NULL where a file was written before the contract had them.
    """
    moments = ", ".join(f"('{load}', TIMESTAMP '{moment}')" for load, moment in loads.items())
    # A merged file is in the order of its loads: groups of rows that came with others are passed over.
    rows = rows_with_load(files, f" WHERE _dlt_load_id BETWEEN '{min(loads)}' AND '{max(loads)}'")
    if columns := ", ".join(f"NULL::TEXT AS {name}" for name in texts):
        rows += f" UNION ALL BY NAME SELECT {columns} WHERE FALSE"
    return (
        f"(SELECT files.* EXCLUDE _dlt_load_id, loads.load_id, loads.loaded_at FROM ({rows}) AS files"
        f" JOIN (VALUES {moments}) AS loads(load_id, loaded_at) ON files._dlt_load_id = loads.load_id)"
    )


def rows_with_load(files: list[str], of_merged: str = "") -> str:
    """Return SQL for the rows of files, each with its load: that of the file's name, or its own if it is merged."""
    merged = [file for file in files if is_merged(Path(file).name)]
    others = [file for file in files if file not in merged]
    parts = []
    if others:
        load = "REGEXP_EXTRACT(filename, '([^/]+)[.][^.]+[.]parquet$', 1) AS _dlt_load_id"
        listed = ", ".join(literal(file) for file in others)
        found = f"read_parquet([{listed}], filename = TRUE, union_by_name = TRUE)"
        parts.append(f"SELECT * EXCLUDE filename, {load} FROM {found}")
    if merged:
        listed = ", ".join(literal(file) for file in merged)
        parts.append(f"SELECT * FROM read_parquet([{listed}], union_by_name = TRUE){of_merged}")
    return " UNION ALL BY NAME ".join(parts)
