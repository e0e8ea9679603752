"""Keep the rows of a part that is gone: a file that is not there says nothing of its rows.

With `parts: true` all files are one delivery. Where one is missing, its rows are lacking, and a full export
deletes what it lacks. So they stay until the file is back, or a person says that they are gone: `make
accept`. A part is gone if none of its rows came in another file; parts that get new names each day
are not. If more is lacking than `quality.deletion_limit` allows, the client is held, as ever.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest import acceptance
from pipelines.ingest.acceptance import Waiting
from pipelines.ingest.load_counts import ROWS_THAT_COUNT
from pipelines.ingest.table import Table, is_order
from pipelines.sql import literal

_EXAMPLES = 3


class Part(NamedTuple):
    """A part that is gone: its file, how many rows it has in the lake, their money, some, and all as a hash."""

    file: str
    rows: int
    money: str
    examples: list[str]
    digest: str

    @property
    def said(self) -> str:
        """Return what is gone."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        money = f", {self.money}" if self.money else ""
        return f"{Path(self.file).name}, a part of this export, is gone ({rows}{money})"


class Kept(NamedTuple):
    """What is said of rows that are kept, and what waits for a person's word."""

    rows: int = 0
    notes: list[str] = []
    waiting: list[Waiting] = []


def gone(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Part]:
    """Keep in `of_gone_parts` the rows in `deleted` whose part is gone; return these parts."""
    if not table.export or not table.export.parts or not table.is_stored:
        return []
    if not connection.execute("FROM deleted LIMIT 1").fetchall():
        return []
    contract = table.delivery.contract
    money = next((name for name, column in contract.columns.items() if column.is_money), "")
    amount = f"TRY_CAST({money} AS DECIMAL(18, 6))" if money else "NULL"
    identity = [name for name in contract.identifying if name in table.columns]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE of_gone_parts AS
        WITH newest AS (
          SELECT row_key, export_file AS part, is_deleted, {amount} AS amount,
          CONCAT_WS(' ', {", ".join(identity)}) AS shown
          FROM {table.stored} AS log
          QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
        ), was_read AS (
          SELECT export_file AS part, ARG_MAX({ROWS_THAT_COUNT}, loaded_at) AS rows
          FROM {table.log.rows("exports", ["rows_skipped"])} AS log WHERE table_name = {literal(table.name)} GROUP BY ALL
        ), parts AS (
          SELECT part FROM newest WHERE NOT is_deleted AND part NOT IN (SELECT export_file FROM batches)
          GROUP BY part HAVING BOOL_AND(row_key IN (SELECT row_key FROM deleted) OR {is_order("row_key")})
          AND COUNT(*) * 2 >= (SELECT MAX(rows) FROM was_read WHERE was_read.part = newest.part)
        )
        FROM newest SEMI JOIN parts USING (part) WHERE NOT is_deleted"""
    )
    found = connection.execute(
        f"""SELECT part, COUNT(*), FORMAT('{{:.2f}}', SUM(amount)::DOUBLE),
        LIST(shown ORDER BY row_key)[:{_EXAMPLES}], MD5(STRING_AGG(row_key, ' ' ORDER BY row_key))
        FROM of_gone_parts GROUP BY part ORDER BY part"""
    ).fetchall()
    return [
        Part(part, rows, f"{sum_} of {money}" if sum_ else "", examples, digest)
        for part, rows, sum_, examples, digest in found
    ]


def keep(
    connection: duckdb.DuckDBPyConnection, table: Table, parts: list[Part], known: int
) -> Kept:
    """Take the rows of parts that are gone out of `deleted`, unless a person has confirmed that they are."""
    said, waiting, kept = [], [], 0
    client, source = table.client.id, table.log.source
    for part in parts:
        word = _waiting(table, part, known)
        if acceptance.is_accepted(client, source, word):
            continue
        connection.execute(
            "DELETE FROM deleted WHERE row_key IN (SELECT row_key FROM of_gone_parts WHERE part = ?)",
            [part.file],
        )
        kept += part.rows
        waiting.append(word)
        said.append(
            f"{table.name}: {part.said}: its rows are kept. Deliver it again; or, if they are gone,"
            f" confirm it: make accept CLIENT={client} SOURCE={source}"
        )
    return Kept(kept, said, waiting)


def _waiting(table: Table, part: Part, known: int) -> Waiting:
    """Return what waits: that part, with these rows, as it was loaded last."""
    content = hashlib.sha256(f"{part.file} {part.digest}".encode()).hexdigest()
    (_, load) = table.log.loaded(table.name).loads[part.file]
    without = f"{Path(part.file).name}, which is gone"
    return Waiting(
        table.name, without, content, load, known + part.rows, known, part.rows, part.examples, True
    )
