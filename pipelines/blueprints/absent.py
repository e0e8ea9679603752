"""Stand in for a table that a client does not have: its columns, and no rows."""

from functools import cache
from typing import cast

from sqlglot import exp
from sqlmesh.core.dialect import parse

from pipelines.contracts.types import sql_type
from pipelines.home import project_folder


@cache
def no_rows(layer: str, name: str) -> str:
    """Return a relation with the columns of a model, as its file selects them, and without rows.

    Of `journeys.repricings`: `(SELECT NULL::TEXT AS conversion_id, … WHERE FALSE)`.
    """
    file = project_folder() / "models" / layer / f"{name}.sql"
    *_, query = parse(file.read_text(encoding="utf-8"), default_dialect="duckdb")
    columns = (
        f"NULL::{sql_type(column)} AS {column}" for column in cast(exp.Query, query).named_selects
    )
    return f"(SELECT {', '.join(columns)} WHERE FALSE)"
