"""Define views over one version's files, as its tables are in the warehouse: types and comments."""

from pathlib import Path
from typing import Any

import duckdb

from pipelines.published.version_folders import file_name
from pipelines.sql import file_literal, identifier, literal


def define(
    opened: duckdb.DuckDBPyConnection, schema: str, folder: Path, tables: dict[str, Any]
) -> None:
    """Define a schema's views over the files of a version's folder."""
    schema = identifier(schema)
    opened.execute(f"CREATE SCHEMA {schema}")
    for name, table in tables.items():
        view = f"{schema}.{identifier(name)}"
        files = [file_literal(folder / file_name(name, part)) for part in table["digests"]]
        columns = ", ".join(
            f"{identifier(column)}::{type_} AS {identifier(column)}"
            for column, type_, _ in table["columns"]
        )
        rows = f"SELECT {columns} FROM read_parquet([{', '.join(files)}])"
        opened.execute(f"CREATE VIEW {view} AS {rows}")
        if table["comment"]:
            opened.execute(f"COMMENT ON VIEW {view} IS {literal(table['comment'])}")
        for column, _, comment in table["columns"]:
            if comment:
                column = f"{view}.{identifier(column)}"
                opened.execute(f"COMMENT ON COLUMN {column} IS {literal(comment)}")
