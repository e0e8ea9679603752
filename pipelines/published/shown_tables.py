"""Read from a warehouse which tables `prod` shows of a client, and whether their rows changed."""

import re
from typing import NamedTuple

import duckdb

from pipelines.sql import identifier, literal

# What credit of a conversion that comes later is computed from, beside the loads that bring it: the
# versions of deals, of the people who take part in them, and of rates; and who touched what, and when.
# The versions of spend tell which of it was new, and which restated.
_SETTLED = {
    "staging": {
        *("stg_opportunities", "stg_contacts", "stg_contact_roles", "stg_leads", "stg_rates"),
        "stg_ad_spend",
    },
    "journeys": {"touchpoints", "identities", "owned_touchpoints", "conversions", "prices"},
}
_BEHIND_VIEW = re.compile(r'([^\s.";]+)"?;?\s*$')
_AS_STORED = {"HUGEINT": "DECIMAL(38, 0)"}  # Parquet would make a DOUBLE of it


class Column(NamedTuple):
    """A column of a table."""

    name: str
    type: str
    comment: str | None


class Shown(NamedTuple):
    """A table that `prod` shows of a client, such as publish.campaigns_v1."""

    layer: str
    name: str
    behind: str  # the table behind the view, which a promotion replaces by another
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def is_published(self) -> bool:
        """Return whether outsiders read it."""
        return self.layer == "publish"

    @property
    def part(self) -> str:
        """Return what says of a row in which file it lies: of a settled table, the month of its load.

        So a month that is over stays as it was written, however large the table grows.
        """
        if self.is_published or "loaded_at" not in {column.name for column in self.columns}:
            return "''"
        return "COALESCE(STRFTIME(loaded_at, '%Y-%m'), '')"


def is_settled(layer: str, name: str) -> bool:
    """Return whether a table is written beside the published ones, for the product itself."""
    return name in _SETTLED.get(layer, ())


def shown_tables(
    warehouse: duckdb.DuckDBPyConnection, client: str, read: frozenset[str] = frozenset()
) -> list[Shown]:
    """Return the tables of a client that its files are made of: published ones and settled ones.

    Settled are, too, those that the fast path `read`s as they were, such as marts.fct_credit.
    """
    views = warehouse.execute(
        """SELECT schema_name, view_name, sql, comment FROM duckdb_views()
        WHERE starts_with(schema_name, $prefix) ORDER BY ALL""",
        {"prefix": f"{client}_"},
    ).fetchall()
    wanted = {}
    for schema, name, sql, comment in views:
        layer = schema.removeprefix(f"{client}_")
        if layer == "publish" or is_settled(layer, name) or f"{layer}.{name}" in read:
            wanted[schema, name] = (layer, name, _behind(sql), comment)
    columns = _columns(warehouse, client)
    return [Shown(*each, tuple(columns[key])) for key, each in wanted.items()]


def behind_published(warehouse: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """Return the tables behind each client's published views."""
    found: dict[str, set[str]] = {}
    for schema, sql in warehouse.execute(
        "SELECT schema_name, sql FROM duckdb_views() WHERE schema_name SIMILAR TO '[a-z][a-z0-9]*_publish'"
    ).fetchall():
        found.setdefault(schema.removesuffix("_publish"), set()).add(_behind(sql))
    return {client: frozenset(tables) for client, tables in found.items()}


def digests(warehouse: duckdb.DuckDBPyConnection, client: str, table: Shown) -> dict[str, str]:
    """Return by part what changes with its rows or columns: their number, the sum of their hashes."""
    hashed = ", ".join(identifier(column.name) for column in table.columns)
    types = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    rows = warehouse.execute(
        f"SELECT {table.part}, COUNT(*), SUM(hash({hashed})) FROM {_view(client, table)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        part: f"{count} rows {hashes:x} of {types} by DuckDB {duckdb.__version__}"
        for part, count, hashes in rows or [("", 0, 0)]
    }


def row_count(digests: dict[str, str]) -> int:
    """Return how many rows a table has, by the digests of its parts."""
    return sum(int(digest.partition(" ")[0]) for digest in digests.values())


def copy(
    warehouse: duckdb.DuckDBPyConnection, client: str, table: Shown, part: str, file: str
) -> None:
    """Write the rows of a table's part to a Parquet file, in their order."""
    columns = ", ".join(
        f"{identifier(column.name)}::{_AS_STORED.get(column.type, column.type)} AS {identifier(column.name)}"
        for column in table.columns
    )
    rows = f"SELECT {columns} FROM {_view(client, table)} WHERE {table.part} = {literal(part)}"
    warehouse.execute(f"COPY ({rows}) TO {literal(file)} (FORMAT parquet)")


def _view(client: str, table: Shown) -> str:
    return f"{identifier(f'{client}_{table.layer}')}.{identifier(table.name)}"


def _behind(sql: str) -> str:
    found = _BEHIND_VIEW.search(sql)
    return found[1] if found else sql


def _columns(
    warehouse: duckdb.DuckDBPyConnection, client: str
) -> dict[tuple[str, str], list[Column]]:
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, table, *column in warehouse.execute(
        """SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns()
        WHERE starts_with(schema_name, $prefix) ORDER BY schema_name, table_name, column_index""",
        {"prefix": f"{client}_"},
    ).fetchall():
        columns.setdefault((schema, table), []).append(Column(*column))
    return columns
