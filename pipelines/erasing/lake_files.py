"""Rewrite the log under its load ids: rows stay and stand for nobody, and what is quarantined goes.

A quarantined row enters no number, so nothing of it need stay. The load counts say of each load how many of
its rows stand for nobody now, and how many are gone: `rows_anonymous`, or `rows_aged`, and `rows_erased`.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.contracts.people import NAMING
from pipelines.erasing.places import Place
from pipelines.erasing.plan import Plan
from pipelines.erasing.renaming import WORDS, columns_of, find, is_found, prepare, renamed
from pipelines.lake.append import source_folder
from pipelines.lake.loads import load_of
from pipelines.lake.rewriting import rewrite, sources_in_lake
from pipelines.lake.tombstones import marked, marked_words, salt_of
from pipelines.sql import file_literal, identifier, literal

_QUARANTINE, _COUNTS = "quarantine", "exports"


def in_lake(connection: duckdb.DuckDBPyConnection, plan: Plan, is_done: bool) -> Iterator[Place]:
    """Yield where the log names somebody; with `is_done`, once it names nobody any more there."""
    prepare(connection, plan)
    for source in sources_in_lake(plan.client):
        for folder in sorted(source_folder(plan.client, source).iterdir()):
            if folder.is_dir() and not folder.name.startswith("_"):
                yield from _in_table(connection, plan, source, folder, is_done)
        if is_done:
            _recount(connection, plan, source_folder(plan.client, source))


def _in_table(
    connection: duckdb.DuckDBPyConnection, plan: Plan, source: str, folder: Path, is_done: bool
) -> Iterator[Place]:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return
    where = f"lake/{plan.client}/{source}"
    if folder.name == _QUARANTINE:
        condition = _is_quarantined_of(plan, source)
        rows = _rows_by_file(connection, _reading(files), condition)
    else:
        named = NAMING.get((source, folder.name), {})
        own = next(iter(named), "row_key")
        naming = {**named, "row_key": named[own]} if named else {}
        columns = columns_of(connection, _reading(files), naming, (own, "row_key"))
        names = find(connection, plan, _reading(files), columns)
        rows = _rows_by_file(connection, _reading(files), is_found(names)) if names else {}
    if rows:
        yield Place(where, folder.name, len(rows), sum(rows.values()))
    for file in rows if is_done else ():
        if folder.name == _QUARANTINE:
            kept = f"FROM read_parquet({file_literal(Path(file))}) AS log WHERE NOT COALESCE({condition}, FALSE)"
            rewrite(connection, Path(file), kept)
        else:
            _rename(connection, plan, Path(file), naming, (own, "row_key"))


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


def _reading(files: list[Path]) -> str:
    named = ", ".join(map(file_literal, files))
    return f"read_parquet([{named}], filename = TRUE, union_by_name = TRUE)"


def _rows_by_file(
    connection: duckdb.DuckDBPyConnection, relation: str, condition: str
) -> dict[str, int]:
    return dict(
        connection.execute(
            f"SELECT filename, COUNT(*) FROM {relation} AS log WHERE {condition} GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )


def _is_quarantined_of(plan: Plan, source: str) -> str:
    """Return SQL for whether a row in quarantine is somebody's, by its values or by a word of its text."""
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


def _recount(connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
    """Have the load counts of a source say what is in its log now; said twice, they say the same."""
    _count(connection, folder)
    for file in sorted((folder / _COUNTS).glob("*.parquet")):
        relation = f"read_parquet({file_literal(file)}, file_row_number = TRUE)"
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        there = {name for name, *_ in described}
        before = {
            name: name if name in there else "0"
            for name in ("rows_erased", "rows_anonymous", "rows_aged")
        }
        rows = f"""SELECT log.*, COALESCE(counted.anonymous, 0) AS now_anonymous, COALESCE(counted.aged, 0) AS now_aged,
          rows_quarantined - LEAST(COALESCE(counted.quarantined, 0), rows_quarantined) AS now_gone,
          COALESCE({before["rows_anonymous"]}, 0) + COALESCE({before["rows_aged"]}, 0) AS were_nobody,
          COALESCE({before["rows_erased"]}, 0) AS were_erased
          FROM {relation} AS log LEFT JOIN (FROM counted WHERE load_id = {literal(load_of(file))}) AS counted
          ON log.table_name = counted.table_name AND log.export_file = counted.export_file"""
        changed = (
            f"SELECT * FROM ({rows}) WHERE now_gone > 0 OR now_anonymous + now_aged <> were_nobody"
        )
        if connection.execute(f"{changed} LIMIT 1").fetchall():
            columns = ", ".join(
                identifier(name)
                for name, *_ in described
                if name not in (*before, "file_row_number")
            )
            written = f"""SELECT {columns}, (were_erased + now_gone)::BIGINT AS rows_erased,
              now_anonymous::BIGINT AS rows_anonymous, now_aged::BIGINT AS rows_aged FROM (
                SELECT * REPLACE (
                  (rows_quarantined - now_gone)::BIGINT AS rows_quarantined,
                  (rows_appended + were_nobody - now_anonymous - now_aged)::BIGINT AS rows_appended
                ) FROM ({rows})
              ) ORDER BY file_row_number"""
            rewrite(connection, file, written)


def _count(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill `counted` with how many rows of each load and file stand for nobody, and are in quarantine."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE counted_rows (
          load_id TEXT, table_name TEXT, export_file TEXT, anonymous BIGINT, aged BIGINT, quarantined BIGINT
        )"""
    )
    load = "REGEXP_EXTRACT(filename, '([^/]+)[.][^.]+[.]parquet$', 1)"
    for (source, table), _ in NAMING.items():
        if source == folder.name and (files := sorted((folder / table).glob("*.parquet"))):
            connection.execute(
                f"""INSERT INTO counted_rows SELECT {load}, '{table}', export_file,
                COUNT(DISTINCT row_key) FILTER (STARTS_WITH(row_key, 'erased-')),
                COUNT(DISTINCT row_key) FILTER (STARTS_WITH(row_key, 'aged-')), 0
                FROM {_reading(files)} AS log WHERE NOT is_deleted GROUP BY ALL"""
            )
    if files := sorted((folder / _QUARANTINE).glob("*.parquet")):
        connection.execute(
            f"""INSERT INTO counted_rows SELECT {load}, table_name, export_file, 0, 0, COUNT(*)
            FROM {_reading(files)} AS log GROUP BY ALL"""
        )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE counted AS SELECT load_id, table_name, export_file,
        SUM(anonymous) AS anonymous, SUM(aged) AS aged, SUM(quarantined) AS quarantined
        FROM counted_rows GROUP BY ALL"""
    )
