"""Have the load counts say what became of rows: how many stand for nobody, and how many are gone.

Of each load and file `rows_anonymous` counts the rows in the log that stand for nobody, as their person was
erased or is too old; they were `rows_appended` before. What went from quarantine is in `rows_erased`, or in
`rows_aged`, with the rows that were left out as they were delivered. Said twice, it is the same.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.people import NAMING
from pipelines.erasing.plan import Plan
from pipelines.lake.loads import committed_files, committed_loads, load_of, rows_with_load
from pipelines.lake.merged_files import LOAD_ID, is_merged
from pipelines.lake.rewriting import rewrite
from pipelines.lake.tombstones import AGED, ERASED
from pipelines.sql import file_literal, identifier, literal


def recount(connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
    """Write the load counts of a source anew where the log says something else now."""
    _count(connection, folder)
    gone = "rows_aged" if plan.prefix == AGED else "rows_erased"
    for file in sorted((folder / "exports").glob("*.parquet")):
        relation = f"read_parquet({file_literal(file)}, file_row_number = TRUE)"
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        there = [name for name, *_ in described if name != "file_row_number"]
        before = {
            name: f"COALESCE({name}, 0)" if name in there else "0"
            for name in ("rows_anonymous", gone)
        }
        load = f"log.{LOAD_ID}" if is_merged(file.name) else literal(load_of(file))
        rows = f"""SELECT log.*, COALESCE(anonymous, 0) AS now_anonymous,
          rows_quarantined - LEAST(COALESCE(quarantined, 0), rows_quarantined) AS now_gone,
          {before["rows_anonymous"]} AS were_anonymous, {before[gone]} AS were_gone
          FROM {relation} AS log LEFT JOIN counted ON {load} = counted.load_id
          AND log.table_name = counted.table_name AND log.export_file = counted.export_file"""
        changed = f"FROM ({rows}) WHERE now_gone > 0 OR now_anonymous <> were_anonymous LIMIT 1"
        if connection.execute(changed).fetchall():
            new = {
                "rows_quarantined": "rows_quarantined - now_gone",
                "rows_appended": "rows_appended + were_anonymous - now_anonymous",
                "rows_anonymous": "now_anonymous",
                gone: "were_gone + now_gone",
            }
            kept = [identifier(name) for name in there if name not in new]
            counts = [f"({value})::BIGINT AS {name}" for name, value in new.items()]
            columns = ", ".join([*kept, *counts])
            rewrite(connection, file, f"SELECT {columns} FROM ({rows}) ORDER BY file_row_number")


def _count(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill `counted` with how many rows of each load and file stand for nobody, and are in quarantine."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE counted_rows (
          load_id TEXT, table_name TEXT, export_file TEXT, anonymous BIGINT, quarantined BIGINT
        )"""
    )
    loads = committed_loads(str(folder))
    for table in (table for source, table in NAMING if source == folder.name):
        if files := committed_files(str(folder), table, loads):
            connection.execute(
                f"""INSERT INTO counted_rows
                SELECT {LOAD_ID}, {literal(table)}, export_file, COUNT(DISTINCT row_key), 0
                FROM ({rows_with_load(files)}) AS log
                WHERE NOT is_deleted AND (STARTS_WITH(row_key, '{ERASED}') OR STARTS_WITH(row_key, '{AGED}'))
                GROUP BY ALL"""
            )
    if files := committed_files(str(folder), "quarantine", loads):
        connection.execute(
            f"""INSERT INTO counted_rows SELECT {LOAD_ID}, table_name, export_file, 0, COUNT(*)
            FROM ({rows_with_load(files)}) AS log GROUP BY ALL"""
        )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE counted AS SELECT load_id, table_name, export_file,
        SUM(anonymous) AS anonymous, SUM(quarantined) AS quarantined FROM counted_rows GROUP BY ALL"""
    )
