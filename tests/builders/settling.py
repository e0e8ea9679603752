"""Settle what a test computed on plain DuckDB, as a run does: published and settled files."""

import duckdb

from pipelines.published.models_file import read_settled
from pipelines.published.shown_tables import is_settled
from pipelines.published.writing import write
from pipelines.settings.kept_versions import PublishedFiles


def settle(
    warehouse: duckdb.DuckDBPyConnection, client: str, models: str, promotion: int = 1
) -> None:
    """Write the files of a client whose tables a connection has, with the text of its models.

    Each `promotion` puts other tables behind what is published.
    """
    history = read_settled(models)
    with duckdb.connect(config={"threads": 1}) as shown:
        for schema, table in warehouse.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'home'"
        ).fetchall():
            layer = schema.removeprefix(f"{client}_")
            is_kept = layer == "publish" or is_settled(layer, table)
            if not is_kept and f"{layer}.{table}" not in history:
                continue
            shown.execute(
                f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE SCHEMA IF NOT EXISTS behind_{schema}"
            )
            shown.register("rows", warehouse.execute(f"FROM {schema}.{table}").to_arrow_table())
            behind = f"behind_{schema}.{table}__{promotion}"
            shown.execute(f"CREATE TABLE {behind} AS FROM rows")
            shown.execute(f"CREATE VIEW {schema}.{table} AS SELECT * FROM {behind}")
        write(shown, client, PublishedFiles(), lambda *_: models)
