"""The only way to raw: the rows of committed loads, by the time of their commit."""

from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.commit_clock import wait_for_commits
from pipelines.lake.loads import READING_STAGES, committed_files, committed_loads, read_loads


@macro()
def raw(evaluator, client, source, table, columns):
    """Return the rows that a source's table got in the interval being computed, as text.

    `FROM @raw(@client, web, sessions, (session_id, started_at))`; with each row come its `row_key`,
    `ordinal`, `is_deleted`, `load_id` and `loaded_at`. Only the files of the interval's committed
    loads are opened; a client without the source gets no rows.
    """
    names = [column.name for column in columns.expressions]
    files = []
    if evaluator.runtime_stage in READING_STAGES:
        folder = str(home() / "lake" / client.name / source.name)
        wait_for_commits(home() / "lake" / client.name)
        start, end = (evaluator.locals[key].replace(tzinfo=None) for key in ("start_dt", "end_dt"))
        loads = {
            load: moment
            for load, moment in committed_loads(folder).items()
            if start <= moment <= end
        }
        files = committed_files(folder, table.name, loads)
    if not files:
        texts = ", ".join(f"NULL::TEXT AS {name}" for name in [*names, "row_key", "load_id"])
        return (
            f"(SELECT {texts}, NULL::BIGINT AS ordinal, NULL::BOOLEAN AS is_deleted,"
            " NULL::TIMESTAMP AS loaded_at WHERE FALSE)"
        )
    return (
        f"(SELECT {', '.join(names)}, row_key, load_id, ordinal, is_deleted, loaded_at"
        f" FROM {read_loads(files, loads, names)} AS log)"
    )
