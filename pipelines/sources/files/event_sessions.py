"""Turn events into sessions: one row a session, with the facts of its earliest event.

A session may be spread over several files. Its facts are a minimum over its events, in one total
order, so it does not matter which file brings which of them, nor when: `merge` takes the minimum
of the versions that were made of each. The customer is the one who is named first.
"""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Column, Contract
from pipelines.sources.batches import Rows
from pipelines.sources.nothing import something
from pipelines.sql import BLANKS, literal

SESSION = CONTRACTS["web"]["sessions"]
FACTS = [name for name in SESSION.columns if name not in ("session_id", "customer_id")]
LEADS = [name for name in FACTS if name not in ("visitor_id", "started_at")]

# Beside the facts of a session: when an event first named its customer.
COLUMNS = SESSION.columns | {
    "identified_at": Column("timestamp", "When the customer was first named", optional=True)
}

_NEVER = "'9'"  # after every time


def sessions(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    parsed: str,
    facts: dict[str, str],
    contract: Contract,
    open_files: ExitStack,
) -> Rows:
    """Return the sessions of events; `facts` has each fact that an event holds, in SQL over `parsed`.

    Events without a session, as where consent was refused, are left out, and counted.
    """
    named = [name for name in SESSION.columns if name != "started_at"]
    texts = ", ".join(
        f"NULLIF(TRIM({facts.get(name) or 'NULL'}::TEXT, {literal(BLANKS)}), '') AS {name}"
        for name in named
    )
    known = ", ".join(f"{something(name, name, contract)} AS {name}" for name in named)
    started_at = f"TRY_CAST({facts['started_at']} AS TIMESTAMPTZ)::TIMESTAMP::TEXT || '+00'"
    open_files.callback(connection.execute, "DROP TABLE IF EXISTS event_sessions")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE event_sessions AS
        SELECT session_id, COUNT(*) AS events,
        {_earliest("started_at")}
        FROM (SELECT {known}, started_at FROM (
          SELECT {texts}, {started_at} AS started_at FROM {parsed}
        )) GROUP BY session_id"""
    )
    return rows._replace(
        relation="(FROM event_sessions WHERE session_id IS NOT NULL)",
        columns={name: name for name in COLUMNS},
        number="ROW_NUMBER() OVER ()",
        line="number",
        lines="1",
        nested=False,
        found="SELECT SUM(events) FROM event_sessions",
        left_out="SELECT SUM(events) FROM event_sessions WHERE session_id IS NULL",
    )


def merge(connection: duckdb.DuckDBPyConnection, delivered: str, stored: str, target: Path) -> None:
    """Write the rows that are delivered to a file, all versions of a session merged.

    `delivered` and `stored` are relations; the latter has what was loaded before, '' if nothing
    was, or if it does not count.
    """
    columns = ", ".join(COLUMNS)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE session_versions AS
        SELECT row_key, {columns} FROM {delivered} WHERE reason IS NULL AND HASH(row_key) IN (
          SELECT HASH(row_key) AS tag FROM {delivered} GROUP BY tag HAVING COUNT(*) > 1
        )"""
    )
    if stored:
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE begun_sessions AS
            SELECT row_key, is_deleted, {columns} FROM {stored} AS log
            WHERE row_key IN (SELECT row_key FROM {delivered} WHERE reason IS NULL)
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1;
            INSERT INTO session_versions
            SELECT * EXCLUDE is_deleted FROM begun_sessions WHERE NOT is_deleted
            UNION ALL SELECT row_key, {columns} FROM {delivered}
            WHERE reason IS NULL AND row_key IN (SELECT row_key FROM begun_sessions)"""
        )
    merged = ", ".join(
        f"IF(merged.row_key IS NULL, delivered.{name}, merged.{name}) AS {name}"
        for name in COLUMNS
        if name != "session_id"
    )
    connection.execute(
        f"""COPY (
          SELECT delivered.* REPLACE ({merged}) FROM {delivered} AS delivered
          LEFT JOIN (
            SELECT row_key, {_earliest("identified_at")} FROM session_versions GROUP BY row_key
          ) AS merged ON delivered.row_key = merged.row_key AND delivered.reason IS NULL
          ORDER BY ordinal
        ) TO {literal(str(target))} (FORMAT parquet);
        DROP TABLE session_versions; DROP TABLE IF EXISTS begun_sessions"""
    )


def _earliest(identified_at: str) -> str:
    """Return SQL for a session's facts in the earliest of several rows, and the first customer.

    Of two rows of one moment, the one with the most facts about where the visitor came from counts.
    """
    count_missing = f"PRINTF('%03d', {len(LEADS)} - LIST_COUNT([{', '.join(LEADS)}]))"
    texts = ", ".join(f"COALESCE({name}, '')" for name in FACTS)
    order = f"[COALESCE(started_at, {_NEVER}), {count_missing}, {texts}]"
    facts = ", ".join(f"{name} := {name}" for name in FACTS)
    identity = f"[COALESCE({identified_at}, {_NEVER}), customer_id]"
    identified = f"MIN({identity}) FILTER (customer_id IS NOT NULL)"
    return (
        f"UNNEST(ARG_MIN(STRUCT_PACK({facts}), {order})),"
        f" ({identified})[2] AS customer_id,"
        f" NULLIF(({identified})[1], {_NEVER}) AS identified_at"
    )
