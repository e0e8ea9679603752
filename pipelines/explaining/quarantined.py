"""Find in quarantine a row that names an id: it was delivered, and is bad."""

import json
from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines.explaining.bringing_loads import Load
from pipelines.home import lake_folder
from pipelines.lake.loads import committed_files, read_loads, seen_from


def quarantined(client: str, row_id: str, loads: Iterable[Load]) -> str:
    """Return why the newest row with an id is in quarantine, and where it stood; nothing without one."""
    by_source: dict[str, list[Load]] = {}
    for load in loads:
        by_source.setdefault(load.source, []).append(load)
    found = [
        row
        for source, of_source in by_source.items()
        for row in _rows(lake_folder() / client / source, of_source, row_id)
    ]
    if not found:
        return ""
    _, table, file, line, reason = max(found)
    place = f"{file}, line {line}" if line else file
    return f"its row of {table} is in quarantine, from {place}: {reason}"


def _rows(folder: Path, loads: list[Load], row_id: str) -> list[tuple]:
    moments = {load.load_id: seen_from(load.committed_at) for load in loads}
    if not (files := committed_files(str(folder), "quarantine", moments)):
        return []
    with duckdb.connect() as connection:
        return connection.execute(
            f"""SELECT loaded_at, '{folder.name}.' || table_name, export_file, line, reason
            FROM {read_loads(files, moments, ("line",))} AS log WHERE CONTAINS(content, $quoted)""",
            {"quoted": json.dumps(row_id)},
        ).fetchall()
