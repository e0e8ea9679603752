"""Run the models' own SQL straight on DuckDB, as SQLMesh renders it but without its books.

A run takes milliseconds, so generated tests can afford hundreds; the same DELETE and INSERT by
interval. What SQLMesh itself adds (intervals, state, audits) is tested with SQLMesh, elsewhere.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
from sqlmesh.core.model import Model

from pipelines.contracts.catalog import CONTRACTS
from pipelines.learning.versions import read_versions
from pipelines.serving.warehouse import Warehouse
from tests.builders.lake_writer import Load, raw_columns, row_key

SEQUENCE = (
    "staging.stg_sessions",
    "staging.stg_events",
    "staging.stg_opportunities",
    "staging.stg_ad_spend",
    "staging.stg_contacts",
    "staging.stg_contact_roles",
    "staging.stg_leads",
    "staging.stg_campaign_members",
    "staging.stg_conversions",
    "staging.stg_session_costs",
    "staging.stg_rates",
    "journeys.touchpoints",
    "journeys.prices",
    "journeys.repricings",
    "journeys.conversions",
    "journeys.identities",
    "journeys.owned_touchpoints",
    "journeys.deal_contacts",
    "journeys.members",
    "journeys.deal_leads",
    "journeys.crm_changes",
    "journeys.revisions",
    "journeys.journeys",
    "journeys.paths",
    "journeys.milestones",
    "attribution.channel_scores",
    "attribution.credit",
    "marts.day_rates",
    "marts.fct_credit",
    "marts.fct_session_costs",
    "marts.fct_campaigns",
    "marts.conversion_totals",
    "marts.spend_totals",
    "marts.unpriced",
    "marts.gate",
)
OPTIONAL = {
    "staging.stg_contacts",
    "staging.stg_contact_roles",
    "staging.stg_leads",
    "staging.stg_campaign_members",
    "journeys.deal_contacts",
    "journeys.members",
    "journeys.deal_leads",
    "journeys.crm_changes",
    "journeys.milestones",
    "attribution.channel_scores",
    "staging.stg_conversions",
    "staging.stg_session_costs",
    "marts.fct_session_costs",
    "staging.stg_rates",
    "journeys.prices",
    "journeys.repricings",
    "marts.day_rates",
}
ORDER = tuple(name for name in SEQUENCE if name not in OPTIONAL)  # what every client has
EMPTY = r"\(SELECT CAST\(NULL AS TEXT\).*?WHERE (FALSE|'[^']*' IS NULL)\)"  # without a file to read
RAW = {
    "attribution.channel_scores": ["learned"],
    "staging.stg_sessions": ["web_sessions"],
    "staging.stg_events": ["web_events"],
    "staging.stg_opportunities": ["salesforce_opportunities"],
    "staging.stg_ad_spend": ["google_ads_spend", "facebook_ads_spend"],
    "staging.stg_contacts": ["salesforce_contacts"],
    "staging.stg_contact_roles": ["salesforce_contact_roles"],
    "staging.stg_leads": ["salesforce_leads"],
    "staging.stg_campaign_members": ["salesforce_campaign_members"],
    "staging.stg_conversions": ["web_conversions"],
    "staging.stg_session_costs": ["web_session_costs"],
    "staging.stg_rates": ["rates_rates"],
}
VERSIONS = "model TEXT, channel TEXT, value DOUBLE, status TEXT, version TEXT, valid_from TIMESTAMP, valid_until TIMESTAMP"
FOUND = {  # what the models read beside the lake
    "staging.stg_load_counts": "NULL::TIMESTAMP AS loaded_until",
    "marts.source_status": "'web' AS source, 'ok' AS code, NULL::TEXT AS problem",
}
START, END = datetime(2031, 1, 1), datetime(2032, 2, 2)  # stand-ins, told from data at a glance
LAST = END - timedelta(microseconds=1)


def render(*clients: str, more: tuple[str, ...] = ()) -> dict[str, "Models"]:
    """Return each client's models, rendered once; `more` of them after the usual ones."""
    warehouse = Warehouse("home")
    models = {model.name.replace('"', ""): model for model in warehouse._context.models.values()}
    warehouse.close()
    return {
        client: Models(
            client,
            {
                name: models[own]
                for name in (*SEQUENCE, *more)
                if (own := f"{client}_{name}") in models
            },
        )
        for client in clients
    }


class Models:
    """One client's models, as queries on tables of a DuckDB."""

    def __init__(self, client: str, models: dict[str, Model]) -> None:
        self.client = client
        self.times = {
            name: model.time_column.column.name if model.time_column else None
            for name, model in models.items()
        }
        self.queries: dict[str, str] = {}
        for name, model in models.items():
            query = model.render_query_or_raise(start=START, end=END, execution_time=END).sql(
                "duckdb"
            )
            for table in RAW.get(name, []):
                query, found = re.subn(EMPTY, f"raw.{table}", query, count=1)
                assert found, f"{name} does not read {table}"
            self.queries[name] = query

    def query(self, name: str, start: datetime, until: datetime) -> str:
        """Return a model's query for an interval."""
        last = until - timedelta(microseconds=1)
        query = self.queries[name].replace(f"{LAST}", f"{last:%Y-%m-%d %H:%M:%S.%f}")
        query = query.replace(f"{START}", f"{start:%Y-%m-%d %H:%M:%S.%f}")
        assert "2031-" not in query and "2032-" not in query, query
        return query

    def empty(self) -> duckdb.DuckDBPyConnection:
        """Return a warehouse without a row."""
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("ATTACH ':memory:' AS home; USE home; CREATE SCHEMA raw")
        for layer in ("staging", "journeys", "attribution", "marts"):
            connection.execute(f"CREATE SCHEMA {self.client}_{layer}")
        for source, tables in CONTRACTS.items():
            for table in tables:
                texts = ", ".join(f"{name} TEXT" for name in raw_columns(source, table))
                connection.execute(
                    f"CREATE TABLE raw.{source}_{table} ({texts}, row_key TEXT, load_id TEXT,"
                    " ordinal BIGINT, is_deleted BOOLEAN, loaded_at TIMESTAMP)"
                )
        connection.execute(f"CREATE TABLE raw.learned ({VERSIONS})")
        for table, row in FOUND.items():
            connection.execute(f"CREATE TABLE {self.client}_{table} AS SELECT {row}")
        return connection

    def learn(self, connection: duckdb.DuckDBPyConnection, home: str, **folders: str) -> None:
        """Put the versions of some models, by the folders that hold them, where the scores read them."""
        connection.execute("DELETE FROM raw.learned")
        for model, folder in folders.items():
            if found := read_versions(home, self.client, folder):
                connection.execute(
                    f"INSERT INTO raw.learned SELECT '{model}', channel, value, status, version,"
                    f" valid_from, valid_until FROM {found}"
                )

    def load(self, connection: duckdb.DuckDBPyConnection, load: Load) -> None:
        """Put a load where the staging models read it."""
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
            connection.register("loaded", pa.table(columns))
            connection.execute(f"INSERT INTO raw.{load.source}_{table} FROM loaded")
            connection.unregister("loaded")

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        start: datetime,
        until: datetime,
        names: Iterable[str] = (),
    ) -> None:
        """Compute an interval of some models, or of every one, in place of what it held."""
        existing = {
            f"{schema.split('_', 1)[1]}.{name}"
            for schema, name in connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name <> 'raw'"
            ).fetchall()
        }
        last = until - timedelta(microseconds=1)
        for name in names or self.queries:
            table, time = f"{self.client}_{name}", self.times[name]
            query = self.query(name, start, until)
            if time and name in existing:
                connection.execute(
                    f"DELETE FROM {table} WHERE {time} BETWEEN '{start}' AND '{last}'"
                )
                connection.execute(f"INSERT INTO {table} {query}")
            else:
                connection.execute(f"CREATE OR REPLACE TABLE {table} AS {query}")
