"""Publish what a client's exports say, without SQLMesh's books: its models run on what ingest has committed."""

from datetime import datetime, timedelta

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.home import lake_folder
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from tests.rendered import Models


def published(models: Models, client: str) -> duckdb.DuckDBPyConnection:
    """Return a warehouse with all tables, made by models that were rendered for another client like it.

    A day is enough: every load of these clients is of now.
    """
    connection = models.empty()
    for source, tables in CONTRACTS.items():
        folder = str(lake_folder() / client / source)
        loads = committed_loads(folder)
        for table in tables:
            if files := committed_files(folder, table, loads):
                connection.execute(
                    f"INSERT INTO raw.{source}_{table} BY NAME"
                    f" SELECT {_columns(connection, f'raw.{source}_{table}')} FROM {read_loads(files, loads)}"
                )
    now = datetime.now()
    models.run(connection, now - timedelta(days=2), now + timedelta(days=1))
    return connection


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    names = connection.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()
    return ", ".join(name for (name,) in names)
