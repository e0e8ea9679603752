"""Know a row again that was loaded without an id of its own, and now comes with one.

Without an id an event is its content: that is its key. Once its export has ids, its key is the id,
so the row that was loaded before would count beside it. It is deleted by the load that brings it
again. Two events of one content were one row until then, and are two from then on.
"""

import duckdb

from pipelines.ingest import decimal_ids
from pipelines.ingest.table import Table


def rename(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add to those that are `deleted` the rows that come under another key now; they are `renamed`.

    A row that is delivered without an id as well, beside one of its content that has one, stays.
    """
    connection.execute("CREATE TABLE renamed (row_key TEXT)")
    _with_own_ids(connection, table)
    decimal_ids.rename(connection, table)
    if not connection.execute("FROM renamed LIMIT 1").fetchall():
        return
    columns = ", ".join(table.columns)
    connection.execute(
        f"""INSERT INTO deleted SELECT row_key, (SELECT MAX(export_file) FROM batches), {columns}
        FROM {table.stored} AS log SEMI JOIN renamed USING (row_key)
        WHERE row_key NOT IN (SELECT row_key FROM deleted)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1"""
    )


def _with_own_ids(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add to those that are `renamed` the rows that come with an id now."""
    own_id = table.delivery.contract.own_id
    if not own_id or not table.is_stored or not _has_own_ids(connection):
        return
    connection.execute(
        f"""INSERT INTO renamed SELECT row_key FROM {table.stored} AS log
        WHERE {own_id} IS NULL
        AND row_key IN (SELECT content_key FROM delivered WHERE reason IS NULL)
        AND row_key NOT IN (SELECT row_key FROM delivered WHERE reason IS NULL)
        GROUP BY row_key HAVING NOT ARG_MAX(is_deleted, (loaded_at, ordinal))"""
    )


def _has_own_ids(connection: duckdb.DuckDBPyConnection) -> bool:
    query = "FROM delivered WHERE content_key IS NOT NULL LIMIT 1"
    return bool(connection.execute(query).fetchall())
