"""Say which tables the models read from before the interval that is computed, too.

These have to be settled; of all others the rows of the interval are enough, and those are computed.
DuckDB itself says so: where it scans a table with a filter on the column of its intervals, nothing
else is read. Example: `journeys.conversions` scans `staging.stg_opportunities` by `loaded_at` for a client
with one currency; with rates it scans all of it, as a new rate prices deals that were loaded before.

What is made by revision is never read from before: a conversion's newest revision alone counts, and
only conversions that are revised in the interval are computed.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb

from pipelines.fastpath.rendered_models import BY_REVISION, CHANGED, Kind, RenderedModel
from pipelines.sql import identifier

# These would see that the tables are empty, and scan nothing.
_UNWISE = "SET disabled_optimizers = 'statistics_propagation,empty_result_pullup'"


def read_history(
    client: str,
    models: tuple[RenderedModel, ...],
    reads: dict[str, dict[str, str]],
    kept: dict[str, dict[str, str]],
) -> tuple[str, ...]:
    """Return the tables that are read from before the interval, by layer and name.

    `reads` has the raw tables that the models read, and `kept` those that no model makes here.
    """
    times = {model.name: model.time for model in models if model.time not in ("", BY_REVISION)}
    found = set()
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(_UNWISE)
        for name, typed in kept.items():
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_schema(client, name)}")
            _create_table(connection, _table(client, name), typed)
        create_empty(connection, client, models, reads)
        for model in models:
            if model.kind not in (Kind.ASKED, Kind.VIEW):
                ((_, plan),) = connection.execute(f"EXPLAIN (FORMAT json) {model.sql}").fetchall()
                found |= {
                    table
                    for table, filters in _scans(json.loads(plan), f"{client}_")
                    if table in times and f"{times[table]}>=" not in filters
                }
    return tuple(sorted(found))


def create_empty(
    connection: duckdb.DuckDBPyConnection,
    client: str,
    models: Iterable[RenderedModel],
    reads: dict[str, dict[str, str]],
) -> None:
    """Create the tables of models, and the raw ones that they read, without a row."""
    connection.execute("SET VARIABLE start_ts = TIMESTAMP '2026-01-01'")
    connection.execute("SET VARIABLE end_ts = TIMESTAMP '2026-01-02'")
    connection.execute(f"CREATE TABLE {CHANGED}; CREATE SCHEMA raw")
    for table, typed in reads.items():
        _create_table(connection, f"raw.{identifier(table.replace('.', '_'))}", typed)
    for model in models:
        _create(connection, client, model)


def columns_of(connection: duckdb.DuckDBPyConnection, client: str, name: str) -> dict[str, str]:
    """Return a table's columns with their types."""
    found = connection.execute(f"DESCRIBE {_table(client, name)}").fetchall()
    return {column: type_ for column, type_, *_ in found}


def _create(connection: duckdb.DuckDBPyConnection, client: str, model: RenderedModel) -> None:
    table = _table(client, model.name)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_schema(client, model.name)}")
    if model.kind == Kind.ASKED:
        _create_table(connection, table, model.columns)
    elif model.kind == Kind.VIEW:
        connection.execute(f"CREATE VIEW {table} AS {model.sql}")
    else:
        connection.execute(f"CREATE TABLE {table} AS {model.sql} WITH NO DATA")


def _create_table(connection: duckdb.DuckDBPyConnection, table: str, typed: dict[str, str]) -> None:
    columns = ", ".join(f"{identifier(name)} {type_}" for name, type_ in typed.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")


def _schema(client: str, name: str) -> str:
    return identifier(f"{client}_{name.split('.')[0]}")


def _table(client: str, name: str) -> str:
    return f"{_schema(client, name)}.{identifier(name.split('.')[1])}"


def _scans(plan: list[dict[str, Any]], prefix: str) -> Iterator[tuple[str, str]]:
    """Return each scan of a client's table in a plan, by layer and name, with its filters as text."""
    for node in plan:
        _, _, table = node["extra_info"].get("Table", "").partition(".")
        if table.startswith(prefix):
            yield table.removeprefix(prefix), str(node["extra_info"].get("Filters", ""))
        yield from _scans(node["children"], prefix)
