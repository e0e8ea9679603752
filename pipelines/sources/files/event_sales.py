"""Turn events into conversions or refunds: one row each, however often an event says it.

An order that several events tell, such as a page of thanks that is loaded again, is one conversion:
that of the earliest. `merge` takes the earliest of what came with different files, in any order.
"""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import Facts
from pipelines.sources.nothing import something
from pipelines.sql import BLANKS, literal

_NEVER = "'9'"  # after every time


def sales(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    facts: Facts,
    contract: Contract,
    open_files: ExitStack,
) -> Rows:
    """Return the conversions, or the refunds, that events tell. Events that tell none are left out.

    An order's own id is its conversion's; a purchase without one counts by itself.
    """
    key = contract.own_id or contract.key[0]
    time = contract.dated_by[0]
    texts = {name: _text(facts.columns.get(name, "NULL")) for name in contract.columns}
    texts[time] = f"TRY_CAST({facts.columns[time]} AS TIMESTAMPTZ)::TIMESTAMP::TEXT || '+00'"
    known = {
        name: something(name, name, contract) if name != time else name for name in contract.columns
    }
    columns = ", ".join(f"{text} AS {name}" for name, text in texts.items())
    open_files.callback(connection.execute, "DROP TABLE IF EXISTS event_sales")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE event_sales AS
        SELECT {key}, COUNT(*) FILTER (NOT is_part) AS events, {_earliest(contract, key)},
        BOOL_OR(has_order IS FALSE) AS is_nameless, COUNT(DISTINCT said) AS versions
        FROM (
          SELECT * REPLACE (IF(counts, {known[key]}, NULL) AS {key}), IF(counts, {_said(contract)}, NULL) AS said
          FROM (SELECT {columns}, ({facts.counts}) AS counts, ({facts.is_part}) AS is_part,
            IF({facts.counts}, {_text(facts.order)} IS NOT NULL, NULL) AS has_order
            FROM {facts.relation})
        ) GROUP BY {key}"""
    )
    return rows._replace(
        relation=f"(FROM event_sales WHERE {key} IS NOT NULL)",
        columns={name: name for name in contract.columns},
        number="ROW_NUMBER() OVER ()",
        line="number",
        lines="1",
        native={},
        found="SELECT SUM(events) FROM event_sales",
        left_out=f"SELECT SUM(events) FROM event_sales WHERE {key} IS NULL",
        notes=_notes(connection, contract, key),
    )


def merge(
    contract: Contract,
    connection: duckdb.DuckDBPyConnection,
    delivered: str,
    stored: str,
    target: Path,
) -> None:
    """Write the rows that are delivered to a file: of each, the earliest of all versions."""
    names = [name for name in contract.columns if name != "is_deleted"]
    columns = ", ".join(names)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE sale_versions AS
        SELECT row_key, {columns} FROM {delivered} WHERE reason IS NULL"""
    )
    if stored:
        connection.execute(
            f"""INSERT INTO sale_versions SELECT row_key, {columns} FROM (
              SELECT row_key, is_deleted, {columns} FROM {stored} AS log
              WHERE row_key IN (SELECT row_key FROM sale_versions) QUALIFY
              ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
            ) WHERE NOT is_deleted"""
        )
    merged = ", ".join(
        f"IF(merged.row_key IS NULL, delivered.{name}, merged.{name}) AS {name}" for name in names
    )
    connection.execute(
        f"""COPY (
          SELECT delivered.* REPLACE ({merged}) FROM {delivered} AS delivered
          LEFT JOIN (
            SELECT row_key, {_earliest(contract, "row_key")} FROM sale_versions GROUP BY row_key
          ) AS merged ON delivered.row_key = merged.row_key AND delivered.reason IS NULL
          ORDER BY ordinal
        ) TO {literal(str(target))} (FORMAT parquet);
        DROP TABLE sale_versions"""
    )


def _earliest(contract: Contract, key: str) -> str:
    """Return SQL for the columns in the earliest of several rows; of two at once, the first by its texts."""
    names = [name for name in contract.columns if name not in (key, "is_deleted")]
    time = contract.dated_by[0]
    order = ", ".join(f"COALESCE({name}, '')" for name in names if name != time)
    packed = ", ".join(f"{name} := {name}" for name in names)
    return f"UNNEST(ARG_MIN(STRUCT_PACK({packed}), [COALESCE({time}, {_NEVER}), {order}]))"


def _said(contract: Contract) -> str:
    """Return SQL for what versions of one sale should agree in: their amount."""
    amount = next(name for name, each in contract.columns.items() if each.is_money)
    return f"COALESCE(TRY_CAST({amount} AS DECIMAL(18, 6))::TEXT, {amount}, '')"


def _text(value: str) -> str:
    return f"NULLIF(TRIM(({value})::TEXT, {literal(BLANKS)}), '')"


def _notes(connection: duckdb.DuckDBPyConnection, contract: Contract, key: str) -> list[str]:
    """Say how many conversions have no id of their order, and how many are told with several amounts."""
    query = f"""SELECT COUNT(*) FILTER (is_nameless), COUNT(*) FILTER (versions > 1),
    MIN({key}) FILTER (versions > 1) FROM event_sales WHERE {key} IS NOT NULL"""
    ((nameless, several, example),) = connection.execute(query).fetchall()
    notes = []
    if nameless and not contract.own_id:
        what = "purchase has" if nameless == 1 else "purchases have"
        notes.append(f"{nameless} {what} no id of the order: each counts by itself")
    if several:
        notes.append(
            f"{several} of its orders are told with several amounts, such as {example}: the"
            " first counts"
        )
    return notes
