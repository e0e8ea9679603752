"""Look once at every good row for a text that calls it a sum: the table `called_sums` has those rows."""

from collections.abc import Collection

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.summary_words import says_sum
from pipelines.sources.batches import Rows


def texts_of(contract: Contract, rows: Rows) -> list[str]:
    """Return the columns that may call a row a sum."""
    return [
        name
        for name, column in contract.columns.items()
        if column.type == "text" and name in rows.columns and name != "currency"
        if not column.gathered
    ]


def find(connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows) -> None:
    """Make the table: the ordinal of a row, and each text of it that says so."""
    says = {name: says_sum(name) for name in texts_of(judged.contract, rows)}
    texts = "".join(f", IF({is_sum}, {name}, NULL) AS {name}" for name, is_sum in says.items())
    says_so = " OR ".join(f"({is_sum})" for is_sum in says.values()) or "FALSE"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE called_sums AS SELECT ordinal{texts}
        FROM {judged.rows} AS rows WHERE reason IS NULL AND ({says_so})"""
    )


def called(connection: duckdb.DuckDBPyConnection, columns: Collection[str]) -> list[int]:
    """Return the ordinals of the rows that one of some columns calls sums."""
    if not columns:
        return []
    says_so = " OR ".join(f"{name} IS NOT NULL" for name in columns)
    query = f"SELECT ordinal FROM called_sums WHERE {says_so} ORDER BY ordinal"
    return [ordinal for (ordinal,) in connection.execute(query).fetchall()]


def forget_others(connection: duckdb.DuckDBPyConnection, good: str) -> None:
    """Take rows out of the table that are not among the good ones any more."""
    if connection.execute("FROM called_sums LIMIT 1").fetchall():
        connection.execute(
            f"DELETE FROM called_sums WHERE ordinal NOT IN (SELECT ordinal FROM {good})"
        )
