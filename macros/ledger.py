"""What ingest says of itself: the accounts of every committed load, and the sources that halt."""

import json
import os
from pathlib import Path

from sqlglot import exp
from sqlmesh import macro

from pipelines.committed import READING_STAGES, committed_files, committed_loads


@macro()
def ledger(evaluator, client):
    """Return the accounts of all committed loads: `FROM @ledger(@client)`.

    One row per load, table and file: `source`, `table_name`, `rows_appended`, `rows_superseded`,
    `rows_deleted`, `loaded_at`.
    """
    counts = (
        "rows_read, rows_quarantined, rows_unchanged, rows_appended, rows_superseded, rows_deleted"
    )
    selects = []
    if evaluator.runtime_stage in READING_STAGES:
        home = os.environ.get("ATTRIBUTION_HOME", ".")
        for folder in sorted(Path(home, "lake", client.name).glob("[a-z]*")):
            loads = committed_loads(str(folder))
            if files := committed_files(str(folder), "exports", loads):
                moments = ", ".join(f"('{load}', TIMESTAMP '{at}')" for load, at in loads.items())
                selects.append(
                    f"SELECT '{folder.name}' AS source, table_name, {counts}, loaded_at"
                    f" FROM read_parquet({exp.convert(files).sql('duckdb')}) AS files"
                    f" JOIN (VALUES {moments}) AS loads(load_id, loaded_at)"
                    " ON files._dlt_load_id = loads.load_id"
                )
    empty = ", ".join(f"NULL::BIGINT AS {name}" for name in counts.split(", "))
    selects = selects or [
        f"SELECT NULL::TEXT AS source, NULL::TEXT AS table_name, {empty},"
        " NULL::TIMESTAMP AS loaded_at WHERE FALSE"
    ]
    return f"({' UNION ALL '.join(selects)})"


@macro()
def halted_sources(evaluator, client):
    """Return the sources whose last delivery was refused, with the reasons, as text; NULL if none."""
    problems = []
    if evaluator.runtime_stage in READING_STAGES:
        home = os.environ.get("ATTRIBUTION_HOME", ".")
        for status in sorted(Path(home, "lake", client.name).glob("[a-z]*/status.json")):
            said = json.loads(status.read_text(encoding="utf-8"))
            if said["problem"]:
                problems.append(f"{said['source']}: {said['problem']}")
    return exp.cast(exp.convert("; ".join(problems) or None), "text").sql("duckdb")
