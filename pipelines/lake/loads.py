"""Find the committed loads: no others are ever read.

A load that was killed half-way leaves files behind; dlt writes a marker for each complete one in
`_dlt_loads`. A marker that was torn by a crash does not count: its load is not read, and its files
are loaded again. The macros carry this file's source into every model, so it stays small and
imports little.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

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
        for line in marker.read_text(encoding="utf-8", errors="replace").splitlines():
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


def seen_from(committed: datetime) -> datetime:
    """Return a time up to a minute before the commit: on the same day, in the same order.

    SQLMesh's plans end where the running minute began. A plan made in the minute of a load would
    leave out what a run has already taken, and compare new credit with newer conversions.
    """
    midnight = committed.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(committed - timedelta(minutes=1), midnight + (committed - midnight) / 2)


def committed_files(folder: str, table: str, loads: dict[str, datetime]) -> list[str]:
    """Return a table's Parquet files that belong to the given loads, oldest load first."""
    files = [file for file in Path(folder, table).glob("*.parquet") if load_of(file) in loads]
    return [str(file) for file in sorted(files, key=lambda file: (loads[load_of(file)], file))]


def load_of(file: Path) -> str:
    """Return the id of the load that brought a file: `<load_id>.<file>.parquet`."""
    return file.name.rsplit(".", 2)[0]


def read_loads(files: list[str], loads: dict[str, datetime], texts: Iterable[str] = ()) -> str:
    """Return SQL for the rows of committed files, with `load_id` and `loaded_at` of each.

    The columns in `texts` are NULL where a file was written before the contract had them.
    """
    moments = ", ".join(f"('{load}', TIMESTAMP '{moment}')" for load, moment in loads.items())
    paths = ", ".join(literal(file) for file in files)
    log = f"FROM read_parquet([{paths}], filename = TRUE, union_by_name = TRUE)"
    if columns := ", ".join(f"NULL::TEXT AS {name}" for name in texts):
        log = f"({log}) UNION ALL BY NAME SELECT {columns} WHERE FALSE"
    return (
        f"(SELECT files.* EXCLUDE filename, loads.load_id, loads.loaded_at FROM ({log}) AS files"
        f" JOIN (VALUES {moments}) AS loads(load_id, loaded_at)"
        " ON REGEXP_EXTRACT(files.filename, '([^/]+)[.][^.]+[.]parquet$', 1) = loads.load_id)"
    )
