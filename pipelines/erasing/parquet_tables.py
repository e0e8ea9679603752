"""Rewrite the published and settled files of every version that is kept, each table as the warehouse has it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from pipelines.contracts.catalog import tables as every_table
from pipelines.contracts.people import MODELLED, NAMING
from pipelines.erasing.found_places import Place
from pipelines.erasing.plan import Plan
from pipelines.erasing.renaming import columns_of, find, is_found, prepare, renamed
from pipelines.files import replacing, sync_folder
from pipelines.lake.rewriting import clear_unfinished, rewrite
from pipelines.published.opening import define_settled
from pipelines.published.shown_tables import Column, Shown, digests
from pipelines.published.version_folders import (
    described,
    manifest_file,
    provisional_versions,
    settled_of,
    versions_of,
    whole_versions,
)
from pipelines.sql import file_literal


def own_of(table: str) -> tuple[str, ...]:
    """Return what identifies the rows of a staging table; nothing of another one."""
    staged = {contract.staged_by: (source, name) for source, name, contract in every_table()}
    named = NAMING.get(staged.get(table, ("", "")), {})
    return (next(iter(named)),) if named else ()


def in_versions(
    connection: duckdb.DuckDBPyConnection, plan: Plan, is_done: bool
) -> Iterator[Place]:
    """Yield where a client's versions name somebody; with `is_done`, once they do not any more.

    A file that several versions have in common is written once. The caller has the lock of the files.
    """
    prepare(connection, plan)
    for kind, folder in (
        ("published", versions_of(plan.client)),
        ("settled", settled_of(plan.client)),
    ):
        if is_done and folder.exists():
            clear_unfinished(folder)
        found: dict[str, list[int]] = {}
        written: dict[int, Path] = {}
        for file in sorted(folder.glob("*/*.parquet")):
            table, inode = file.name.split(".")[0], file.stat().st_ino
            if inode in written:
                _link(written[inode], file)
            elif rows := _in_file(connection, plan, file, table, is_done):
                found.setdefault(table, []).append(rows)
                if is_done:
                    written[inode] = file
        for table, rows_of in found.items():
            yield Place(f"{kind}/{plan.client}", table, len(rows_of), sum(rows_of))
    if is_done:
        for version in [*whole_versions(plan.client), *provisional_versions(plan.client)]:
            _describe(connection, plan.client, version)


def _in_file(
    connection: duckdb.DuckDBPyConnection, plan: Plan, file: Path, table: str, is_done: bool
) -> int:
    """Return how many rows of a file name somebody; rewrite it if it is to be done."""
    relation = f"read_parquet({file_literal(file)}, file_row_number = TRUE)"
    columns = columns_of(connection, relation, MODELLED, own_of(table))
    if not (names := find(connection, plan, relation, columns)):
        return 0
    rows = count_found(connection, relation, names)
    if is_done:
        mode = file.stat().st_mode
        rewrite(connection, file, renamed(plan, relation, "file_row_number", columns, names))
        file.chmod(mode)
    return rows


def count_found(connection: duckdb.DuckDBPyConnection, relation: str, names: list[str]) -> int:
    """Return how many rows of a relation have one of the values that were found."""
    (count,) = connection.execute(
        f"SELECT COUNT(*) FROM {relation} AS log WHERE {is_found(names)}"
    ).fetchone() or (0,)
    return count


def _link(same: Path, file: Path) -> None:
    """Put a file in place of one that was the same."""
    with replacing(file) as unfinished:
        os.link(same, unfinished)
    sync_folder(file.parent)


def _describe(connection: duckdb.DuckDBPyConnection, client: str, version: str) -> None:
    """Write down anew what the tables of a version hold: a run compares it with the warehouse."""
    file = manifest_file(client, version)
    written: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    with duckdb.connect() as opened:
        define_settled(opened, client, version)
        for layer, tables in written["tables"].items():
            for name, held in tables.items():
                columns = tuple(Column(*column) for column in held["columns"])
                if layer == "publish" or written["base"] == version:
                    shown = Shown(layer, name, held["behind"], held["comment"], columns)
                    held["digests"] = digests(opened, client, shown)
    text = described(written["tables"], written["base"])
    if text != file.read_text(encoding="utf-8"):
        with replacing(file, sync=True) as unfinished:
            unfinished.touch(mode=0o600)
            unfinished.write_text(text, encoding="utf-8")
