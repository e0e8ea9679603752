"""What ingest counted: the rows of every committed load, by table and file."""

from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.commit_clock import wait_for_commits
from pipelines.lake.loads import READING_STAGES, committed_files, committed_loads, read_loads


@macro()
def ledger(evaluator, client):
    """Return what ingest counted in every committed load: `FROM @ledger(@client)`.

    One row per load, table and file: `source`, `table_name`, `rows_appended`, `rows_superseded`,
    `rows_deleted`, `loaded_at`; `rows_nobody` are in the log and stand for nobody any more, `rows_erased` are
    not there, as they named somebody who was erased, or were too old.
    """
    counts = (
        "rows_read, rows_quarantined, rows_unchanged, rows_appended, rows_superseded, rows_deleted"
    )
    nobody = ("rows_anonymous", "rows_aged", "rows_erased")  # older loads have no such columns
    anonymous, aged, erased = (f"COALESCE(TRY_CAST({name} AS BIGINT), 0)" for name in nobody)
    told = f"{anonymous} AS rows_nobody, {erased} + {aged} AS rows_erased"
    selects = []
    if evaluator.runtime_stage in READING_STAGES:
        wait_for_commits(home() / "lake" / client.name)
        for folder in sorted((home() / "lake" / client.name).glob("[a-z]*")):
            loads = committed_loads(str(folder))
            if files := committed_files(str(folder), "exports", loads):
                selects.append(
                    f"SELECT '{folder.name}' AS source, table_name, {counts}, {told}, loaded_at"
                    f" FROM {read_loads(files, loads, nobody)} AS log"
                )
    names = [*counts.split(", "), "rows_nobody", "rows_erased"]
    empty = ", ".join(f"NULL::BIGINT AS {name}" for name in names)
    selects = selects or [
        f"SELECT NULL::TEXT AS source, NULL::TEXT AS table_name, {empty},"
        " NULL::TIMESTAMP AS loaded_at WHERE FALSE"
    ]
    return f"({' UNION ALL '.join(selects)})"
