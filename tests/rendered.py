"""Run the models' own SQL straight on DuckDB, as SQLMesh renders it but without its books.

A run takes milliseconds, so generated tests can afford hundreds; the same DELETE and INSERT by
interval. The models and their order are SQLMesh's, the tables they begin with those of the
contracts. What SQLMesh itself adds (intervals, state, audits) is tested with SQLMesh, elsewhere.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
from sqlglot import exp
from sqlmesh.core.model import Model, SqlModel

from pipelines.contracts.catalog import CONTRACTS
from pipelines.learning.versions import read_versions
from pipelines.serving.warehouse import Warehouse
from tests import outside
from tests.builders.lake_writer import Load, accounts, raw_columns, row_key

# A model is rendered once; its interval stands in variables of the connection that runs it.
INTERVAL = {name: exp.func("GETVARIABLE", exp.convert(name)) for name in ("start_ts", "end_ts")}


def render(*clients: str, published: bool = False) -> dict[str, "Models"]:
    """Return the models of some clients up to the marts, or to what is `published`, rendered once."""
    warehouse = Warehouse("home")
    models = warehouse.models
    warehouse.close()
    return {client: Models(client, _own(models, client, published)) for client in clients}


def _own(models: dict, client: str, published: bool) -> dict[str, Model]:
    """Return a client's models by layer and name."""
    return {
        own: model
        for name, model in models.items()
        if (own := name.removeprefix(f"{client}_")) != name
        and (published or not own.startswith("publish."))
    }


class Models:
    """One client's models, as queries on tables of a DuckDB, each after those that it reads.

    Models in Python ask somebody outside: here their tables are empty.
    """

    def __init__(self, client: str, models: dict[str, Model]) -> None:
        self.client = client
        self.learned_tables: dict[str, dict[str, str]] = {}  # table → column → type
        self.times = {
            name: model.time_column.column.name if model.time_column else None
            for name, model in models.items()
        }
        self.queries = {
            name: self._rendered(model)
            for name, model in models.items()
            if isinstance(model, SqlModel)
        }
        self.asked = {
            name: {column: type_.sql("duckdb") for column, type_ in model.columns_to_types.items()}
            for name, model in models.items()
            if name not in self.queries and model.columns_to_types
        }

    def _rendered(self, model: SqlModel) -> str:
        """Return a model's query, which reads the schema `raw` and the interval's variables."""
        query = outside.from_tables(model).render_query_or_raise(
            learned_tables=self.learned_tables, **INTERVAL
        )
        sql = query.sql("duckdb")
        assert "1970-01-01" not in sql, f"{model.name}: an interval is @start_ts to @end_ts here"
        return sql

    def empty(self) -> duckdb.DuckDBPyConnection:
        """Return a warehouse without a row."""
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("ATTACH ':memory:' AS home; USE home; CREATE SCHEMA raw")
        for layer in {name.split(".")[0] for name in self.queries}:
            connection.execute(f"CREATE SCHEMA {self.client}_{layer}")
        for name, typed in self.asked.items():
            columns = ", ".join(f"{column} {type_}" for column, type_ in typed.items())
            connection.execute(f"CREATE TABLE {self.client}_{name} ({columns})")
        for source, tables in CONTRACTS.items():
            for table in tables:
                texts = ", ".join(f"{name} TEXT" for name in raw_columns(source, table))
                connection.execute(
                    f"CREATE TABLE raw.{source}_{table} ({texts}, row_key TEXT, load_id TEXT,"
                    " ordinal BIGINT, is_deleted BOOLEAN, loaded_at TIMESTAMP)"
                )
        connection.execute(f"CREATE TABLE raw.ledger ({outside.LEDGER})")
        connection.execute(f"CREATE TABLE raw.statuses ({outside.STATUSES})")
        connection.execute(f"CREATE TABLE raw.missing_spend ({outside.MISSING_SPEND})")
        for table, typed in self.learned_tables.items():
            columns = ", ".join(f"{name} {type_}" for name, type_ in typed.items())
            connection.execute(f"CREATE TABLE {table} ({columns})")
        return connection

    def learn(self, connection: duckdb.DuckDBPyConnection, home: str) -> None:
        """Put all versions that a home has where the models that learn read them."""
        for table, columns in self.learned_tables.items():
            connection.execute(f"DELETE FROM {table}")
            if versions := read_versions(home, self.client, table.removeprefix("raw.")):
                connection.execute(
                    f"INSERT INTO {table} SELECT {', '.join(columns)} FROM {versions}"
                )

    def load(self, connection: duckdb.DuckDBPyConnection, load: Load) -> None:
        """Put a load where the staging models and the ledger's readers look."""
        for table, rows in load.tables.items():
            columns = {
                name: pa.array([row.get(name) for row in rows], pa.string())
                for name in raw_columns(load.source, table)
            } | {
                "row_key": pa.array(
                    [row_key(load.source, table, row) for row in rows], pa.string()
                ),
                "load_id": pa.array([load.load_id] * len(rows), pa.string()),
                "ordinal": pa.array(range(len(rows)), pa.int64()),
                "is_deleted": pa.array([row["is_deleted"] for row in rows], pa.bool_()),
                "loaded_at": pa.array([load.at] * len(rows), pa.timestamp("us")),
            }
            _append(connection, f"raw.{load.source}_{table}", pa.table(columns))
        counts = [
            {"source": load.source, "loaded_at": load.at, **account} for account in accounts(load)
        ]
        _append(connection, "raw.ledger", pa.Table.from_pylist(counts))
        connection.execute("DELETE FROM raw.statuses WHERE source = ?", [load.source])
        connection.execute(
            "INSERT INTO raw.statuses (source, code) VALUES (?, 'ok')", [load.source]
        )

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        start: datetime,
        until: datetime,
        names: Iterable[str] = (),
    ) -> None:
        """Compute an interval of some models, or of every one, in place of what it held."""
        last = until - timedelta(microseconds=1)
        connection.execute(f"SET VARIABLE start_ts = TIMESTAMP '{start}'")
        connection.execute(f"SET VARIABLE end_ts = TIMESTAMP '{last}'")
        existing = {
            f"{schema}.{name}"
            for schema, name in connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables()"
            ).fetchall()
        }
        for name in names or self.queries:
            table, time = f"{self.client}_{name}", self.times[name]
            if time and table in existing:
                connection.execute(
                    f"DELETE FROM {table} WHERE {time} BETWEEN '{start}' AND '{last}'"
                )
                connection.execute(f"INSERT INTO {table} {self.queries[name]}")
            else:
                connection.execute(f"CREATE OR REPLACE TABLE {table} AS {self.queries[name]}")


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    if rows.num_rows:
        connection.register("loaded", rows)
        connection.execute(f"INSERT INTO {table} BY NAME FROM loaded")
        connection.unregister("loaded")
