"""What ingest counted: the rows of every committed load, by table and file."""

from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.commit_clock import wait_for_commits
from pipelines.lake.loads import READING_STAGES, committed_files, committed_loads, read_loads


@macro()
def ledger(evaluator, client):
    """Return what ingest counted in every committed load: `FROM @ledger(@client)`.

    One row per load, table and file: `source`, `table_name`, `rows_appended`, `rows_superseded`,
    `rows_deleted`, `loaded_at`.
    """
    counts = (
        "rows_read, rows_quarantined, rows_unchanged, rows_appended, rows_superseded, rows_deleted"
    )
    selects = []
    if evaluator.runtime_stage in READING_STAGES:
        wait_for_commits(home() / "lake" / client.name)
        for folder in sorted((home() / "lake" / client.name).glob("[a-z]*")):
            loads = committed_loads(str(folder))
            if files := committed_files(str(folder), "exports", loads):
                selects.append(
                    f"SELECT '{folder.name}' AS source, table_name, {counts}, loaded_at"
                    f" FROM {read_loads(files, loads)} AS log"
                )
    empty = ", ".join(f"NULL::BIGINT AS {name}" for name in counts.split(", "))
    selects = selects or [
        f"SELECT NULL::TEXT AS source, NULL::TEXT AS table_name, {empty},"
        " NULL::TIMESTAMP AS loaded_at WHERE FALSE"
    ]
    return f"({' UNION ALL '.join(selects)})"
