"""Write a warehouse file anew without somebody: all tables there are of a client, older snapshots' too.

DuckDB keeps the pages of what was deleted or changed until it needs them. So the tables are copied into a
new file, where nothing ever stood that is gone, and that file takes the place of the old one.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.contracts.people import MODELLED
from pipelines.erasing.found_places import Place
from pipelines.erasing.parquet_tables import count_found, own_of
from pipelines.erasing.plan import Plan
from pipelines.erasing.renaming import columns_of, find, prepare, renamed
from pipelines.files import replacing, sync_folder
from pipelines.home import warehouse_folder
from pipelines.sql import file_literal, identifier, literal
from pipelines.warehouse_files import why_unusable


def in_warehouse(
    connection: duckdb.DuckDBPyConnection, plan: Plan, shard: str, is_done: bool
) -> Iterator[Place]:
    """Yield where a warehouse names somebody; with `is_done`, once a file without them took its place.

    Raise WarehouseError if another process has it open, or it is torn.
    """
    file = warehouse_folder() / f"{shard}.duckdb"
    prepare(connection, plan)
    try:
        connection.execute(
            f"ATTACH {literal(str(file))} AS before{'' if is_done else ' (READ_ONLY)'}"
        )
    except duckdb.Error as error:
        raise why_unusable(shard, error) or error from None
    try:
        found = {(schema, table): rows for schema, table, rows in _found(connection, plan)}
        for (_, table), rows in found.items():
            yield Place(f"warehouse/{file.name}", table, 1, rows)
        if is_done and (found or plan.words):
            _write_anew(connection, plan, file, {*found})
    finally:
        connection.execute("DETACH DATABASE IF EXISTS before")


def shards_of(client: str) -> list[str]:
    """Return the shards whose warehouse file has tables of a client; also those it was in before."""
    found = []
    for file in sorted(warehouse_folder().glob("*.duckdb")):
        with duckdb.connect() as connection:
            try:
                connection.execute(f"ATTACH {literal(str(file))} AS before (READ_ONLY)")
            except duckdb.Error as error:
                raise why_unusable(file.stem, error) or error from None
            if _tables(connection, client):
                found.append(file.stem)
    return found


def _tables(connection: duckdb.DuckDBPyConnection, client: str) -> list[tuple[str, str]]:
    return connection.execute(
        """SELECT schema_name, table_name FROM duckdb_tables()
        WHERE database_name = 'before'
          AND REGEXP_MATCHES(schema_name, '^(sqlmesh__)?' || $client || '_[a-z]+(__[a-z]+)?$') ORDER BY ALL""",
        {"client": client},
    ).fetchall()


def _named(database: str, schema: str, table: str) -> str:
    return f"{database}.{identifier(schema)}.{identifier(table)}"


def _found(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Iterator[tuple[str, str, int]]:
    for schema, table in _tables(connection, plan.client):
        relation = _named("before", schema, table)
        columns = columns_of(connection, relation, MODELLED, own_of(_model(table)))
        if names := find(connection, plan, relation, columns):
            yield schema, table, count_found(connection, relation, names)


def _model(table: str) -> str:
    """Return the name of a physical table's model: of `acme_staging__stg_sessions__12` it is `stg_sessions`."""
    parts = table.split("__")
    return parts[1] if len(parts) > 1 else table


def _write_anew(
    connection: duckdb.DuckDBPyConnection, plan: Plan, file: Path, named: set[tuple[str, str]]
) -> None:
    with replacing(file, sync=True) as unfinished:
        connection.execute(f"ATTACH {file_literal(unfinished)} AS after")
        try:
            connection.execute("COPY FROM DATABASE before TO after (SCHEMA)")
            rows = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'before' ORDER BY ALL"
            ).fetchall()
            for schema, table in rows:
                relation, query = _named("before", schema, table), ""
                if (schema, table) in named:
                    columns = columns_of(connection, relation, MODELLED, own_of(_model(table)))
                    names = find(connection, plan, relation, columns)
                    query = renamed(plan, relation, "rowid", columns, names)
                copied = query or f"FROM {relation}"
                connection.execute(f"INSERT INTO {_named('after', schema, table)} {copied}")
            connection.execute("DETACH before")
        finally:
            connection.execute("DETACH after")
        Path(f"{unfinished}.wal").unlink(missing_ok=True)
    file.with_suffix(".duckdb.wal").unlink(missing_ok=True)
    sync_folder(file.parent)
