"""Publish small tables of a client as a run does: from views over the tables behind them."""

import duckdb

from pipelines.published import pending_tables
from pipelines.published.shown_tables import behind_published
from pipelines.published.writing import write_settled
from pipelines.settings.kept_versions import PublishedFiles


def warehouse_with(tables: dict[str, str]) -> duckdb.DuckDBPyConnection:
    """Return a warehouse with views such as `acme_publish.campaigns_v1`, by their queries."""
    warehouse = duckdb.connect(config={"threads": 1})
    for view, query in tables.items():
        schema, name = view.split(".")
        behind = f"sqlmesh__{schema}.{schema}__{name}__1"
        warehouse.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS sqlmesh__{schema}")
        warehouse.execute(f"CREATE TABLE {behind} AS {query}")
        warehouse.execute(f'CREATE VIEW "{schema}".{name} AS SELECT * FROM {behind}')
    return warehouse


def compute(warehouse: duckdb.DuckDBPyConnection, client: str, but: str = "") -> None:
    """Note that a client's published tables were computed, as a run does; of one, only the begin."""
    pending_tables.begin_upstream(client)
    for table in sorted(behind_published(warehouse)[client]):
        pending_tables.begin(client, table)
        if not (but and but in table):
            pending_tables.end(client, table)


def publish(
    warehouse: duckdb.DuckDBPyConnection, *clients: str, keep: PublishedFiles | None = None
) -> dict[str, str]:
    """Write the files of clients that were just computed; return why, where it failed."""
    for client in clients:
        compute(warehouse, client)
    return write_settled(warehouse, dict.fromkeys(clients, keep or PublishedFiles()))
