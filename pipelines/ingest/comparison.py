"""Compare what is delivered with the lake: what is unchanged, superseded, or not delivered any more."""

import duckdb

from pipelines.ingest.content import content as content_of
from pipelines.ingest.table import Table, is_order


def compare(connection: duckdb.DuckDBPyConnection, table: Table, comes_once: bool) -> None:
    """Find the good rows that are unchanged, and those that a later row of the load supersedes.

    A key that is not stored and comes once is new: only the others are compared, by a hash of
    their content that is kept nowhere. Where every key is known to, nobody looks for the others.
    """
    content = content_of(table.delivery.contract, table.columns)
    connection.execute(_STORED)
    if table.is_stored:
        scope = _SCOPES[table.delivery.mode]
        connection.execute(
            f"""INSERT INTO stored SELECT row_key, ARG_MAX({content}, (loaded_at, ordinal)),
            ARG_MAX(is_deleted, (loaded_at, ordinal))
            FROM {table.stored} AS log WHERE {scope} GROUP BY row_key"""
        )
    connection.execute(_COMPARED.format(content=content, several="" if comes_once else _SEVERAL))


def delete(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Find what is stored and was not delivered, if the delivery is full or of whole days.

    Return whether there is any: `torn_lines` keeps of it what an unreadable line may hold.
    """
    columns = ", ".join(table.columns)
    texts = ", ".join(f"{name} TEXT" for name in table.columns)
    connection.execute(f"CREATE TABLE deleted (row_key TEXT, export_file TEXT, {texts})")
    if table.delivery.mode == "increment":
        return False
    connection.execute(_MISSING)
    if not connection.execute("FROM missing LIMIT 1").fetchall():
        return False
    connection.execute(
        f"""INSERT INTO deleted
        SELECT row_key, (SELECT MAX(export_file) FROM batches), {columns}
        FROM {table.stored} AS log WHERE row_key IN (FROM missing)
        QUALIFY ROW_NUMBER() OVER (
          PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC
        ) = 1"""
    )
    return True


# The newest version of each key in the lake, as far as it matters here.
_STORED = "CREATE TABLE stored (row_key TEXT, content UBIGINT, is_deleted BOOLEAN)"

# What of the lake a delivery is compared with: its keys, everything, or its days and accounts.
_SCOPES = {
    "increment": "row_key IN (SELECT row_key FROM delivered)",
    "full": "TRUE",
    "days": """EXISTS (
      FROM batches
      WHERE TRY_CAST(log.spend_date AS DATE) BETWEEN covers_from::DATE AND covers_until::DATE
      AND COALESCE(log.account_id, account) = account
    )""",
}

_SEVERAL = "SELECT HASH(row_key) AS tag FROM delivered GROUP BY tag HAVING COUNT(*) > 1 UNION ALL"

_COMPARED = """
CREATE TABLE candidates AS
SELECT ordinal, row_key, {content} AS content FROM delivered
WHERE reason IS NULL AND HASH(row_key) IN (
  {several} SELECT HASH(row_key) FROM stored
);
CREATE TABLE unchanged AS SELECT ordinal FROM (
  SELECT candidates.ordinal, candidates.content IS NOT DISTINCT FROM COALESCE(
      LAG(candidates.content) OVER (PARTITION BY candidates.row_key ORDER BY candidates.ordinal),
      stored.content
    ) AS is_unchanged
  FROM candidates LEFT JOIN stored USING (row_key)
) WHERE is_unchanged;
CREATE TABLE superseded AS SELECT ordinal FROM (
  SELECT ordinal, ordinal < MAX(ordinal) OVER (PARTITION BY row_key) AS is_superseded
  FROM candidates ANTI JOIN unchanged USING (ordinal)
) WHERE is_superseded
"""

# A shop that erases a person, too, delivers their orders no more: the money stays.
_MISSING = f"""
CREATE TABLE missing AS SELECT row_key FROM stored ANTI JOIN delivered USING (row_key)
WHERE NOT stored.is_deleted AND NOT ({is_order("stored.row_key")})
"""
