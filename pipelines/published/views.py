"""Define views over one version's files, as its tables are in the warehouse: types and comments."""

from pathlib import Path
from typing import Any

import duckdb

from pipelines.sql import file_literal, identifier, literal


def define(
    opened: duckdb.DuckDBPyConnection, client: str, folder: Path, tables: dict[str, Any]
) -> None:
    """Define a client's published views over the files of a version's folder."""
    schema = identifier(f"{client}_publish")
    opened.execute(f"CREATE SCHEMA {schema}")
    for name, table in tables.items():
        view, file = f"{schema}.{identifier(name)}", folder / f"{name}.parquet"
        columns = ", ".join(
            f"{identifier(column)}::{type_} AS {identifier(column)}"
            for column, type_, _ in table["columns"]
        )
        opened.execute(
            f"CREATE VIEW {view} AS SELECT {columns} FROM read_parquet({file_literal(file)})"
        )
        if table["comment"]:
            opened.execute(f"COMMENT ON VIEW {view} IS {literal(table['comment'])}")
        for column, _, comment in table["columns"]:
            if comment:
                column = f"{view}.{identifier(column)}"
                opened.execute(f"COMMENT ON COLUMN {column} IS {literal(comment)}")
