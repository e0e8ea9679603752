"""Rewrite the log under its load ids: rows stay and stand for nobody, and what is quarantined goes.

A quarantined row enters no number, so nothing of it need stay.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from pipelines.contracts.people import NAMING
from pipelines.erasing.found_places import Place
from pipelines.erasing.plan import Plan
from pipelines.erasing.recounting import recount
from pipelines.erasing.renaming import WORDS, columns_of, find, is_found, prepare, renamed
from pipelines.lake.append import source_folder
from pipelines.lake.loads import committed_files, committed_loads, load_of, rows_with_load
from pipelines.lake.merged_files import LOAD_ID, is_merged
from pipelines.lake.rewriting import rewrite, sources_in_lake
from pipelines.lake.tombstones import marked, marked_words, salt_of
from pipelines.sql import file_literal, literal, only_row

_QUARANTINE = "quarantine"


def in_lake(connection: duckdb.DuckDBPyConnection, plan: Plan, is_done: bool) -> Iterator[Place]:
    """Yield where the log names somebody; with `is_done`, once it names nobody any more there."""
    prepare(connection, plan)
    for source in sources_in_lake(plan.client):
        for folder in sorted(source_folder(plan.client, source).iterdir()):
            if folder.is_dir() and not folder.name.startswith("_"):
                yield from _in_table(connection, plan, source, folder, is_done)
        if is_done:
            recount(connection, plan, source_folder(plan.client, source))


def _in_table(
    connection: duckdb.DuckDBPyConnection, plan: Plan, source: str, folder: Path, is_done: bool
) -> Iterator[Place]:
    files = [
        file
        for file in sorted(folder.glob("*.parquet"))
        if not plan.returned or load_of(file) != plan.returned
    ]
    if not files:
        return
    if folder.name == _QUARANTINE:
        rows = _in_quarantine(connection, plan, source, files, is_done)
    else:
        rows = _in_rows(connection, plan, source, files, is_done)
    if rows:
        loads = committed_loads(str(folder.parent))
        counting = committed_files(str(folder.parent), folder.name, loads)  # others were merged
        counted = sum(rows.get(each, 0) for each in counting)
        yield Place(f"lake/{plan.client}/{source}", folder.name, len(rows), counted)


def _in_rows(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    source: str,
    files: list[Path],
    is_done: bool,
) -> dict[str, int]:
    """Return how many rows of each file name somebody; rename them if it is to be done."""
    named = NAMING.get((source, files[0].parent.name), {})
    own = next(iter(named), "row_key")
    naming = {**named, "row_key": named[own]} if named else {}
    listed = ", ".join(map(file_literal, files))
    relation = f"read_parquet([{listed}], filename = TRUE, union_by_name = TRUE)"
    columns = columns_of(connection, relation, naming, (own, "row_key"))
    if not (names := find(connection, plan, relation, columns)):
        return {}
    by_file = (
        f"SELECT filename, COUNT(*) FROM {relation} AS log WHERE {is_found(names)} GROUP BY ALL"
    )
    rows = dict(connection.execute(f"{by_file} ORDER BY 1").fetchall())
    for file in rows if is_done else ():
        _rename(connection, plan, Path(file), naming, (own, "row_key"))
    return rows


def _in_quarantine(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    source: str,
    files: list[Path],
    is_done: bool,
) -> dict[str, int]:
    """Return how many rows of each file in quarantine are to go; remove them if it is to be done."""
    is_gone = _is_quarantined_of(plan, source, files[0].parent)
    rows = {}
    for file in files:
        relation = f"({rows_with_load([str(file)])}) AS log"
        (count,) = only_row(connection.execute(f"SELECT COUNT(*) FROM {relation} WHERE {is_gone}"))
        if count:
            rows[str(file)] = count
            if is_done:
                added = "" if is_merged(file.name) else f" EXCLUDE ({LOAD_ID})"
                rewrite(connection, file, f"SELECT *{added} FROM {relation} WHERE NOT ({is_gone})")
    return rows


def _rename(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    file: Path,
    naming: dict[str, tuple[str, ...]],
    own: tuple[str, ...],
) -> None:
    relation = f"read_parquet({file_literal(file)}, file_row_number = TRUE)"
    columns = columns_of(connection, relation, naming, own)
    names = find(connection, plan, relation, columns)
    rewrite(connection, file, renamed(plan, relation, "file_row_number", columns, names))


def _is_quarantined_of(plan: Plan, source: str, folder: Path) -> str:
    """Return SQL for whether a row in quarantine is somebody's, by its values or by a word of its text.

    By age, what came with a load that is too old goes, whosever it is.
    """
    if plan.quarantined_before:
        oldest = datetime.fromisoformat(plan.quarantined_before)
        loads = committed_loads(str(folder.parent)).items()
        old = ", ".join(literal(load) for load, moment in loads if moment < oldest)
        return f"{LOAD_ID} IN ({old})" if old else "FALSE"
    salt = salt_of(plan.client)
    said = [f"LIST_HAS_ANY({marked_words(salt, name)}, {WORDS})" for name in ("content", "reason")]
    columns = {
        name: kinds
        for (of, _), each in NAMING.items()
        if of == source
        for name, kinds in each.items()
    }
    said += [
        f"{marked(salt, kind, f'(TRY_CAST(content AS JSON)->>{literal(name)})')} IN (SELECT mark FROM renames)"
        for name, kinds in columns.items()
        for kind in kinds
    ]
    return " OR ".join(f"COALESCE({each}, FALSE)" for each in said)
