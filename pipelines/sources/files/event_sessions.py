"""Turn events into sessions: one row a session, with the facts of its earliest event.

A session may be spread over several files. Its facts are a minimum over its events, in one total
order, so it does not matter which file brings which of them, nor when: `merge` takes the minimum
of the versions that were made of each. The customer is the one who is named first.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Column, Contract
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import Facts
from pipelines.sources.nothing import something
from pipelines.sql import BLANKS, literal

SESSION = CONTRACTS["web"]["sessions"]
FACTS = [name for name in SESSION.columns if name not in ("session_id", "customer_id", "consent")]
LEADS = [name for name in FACTS if name not in ("visitor_id", "started_at")]

# Beside the facts of a session: when an event first named its customer, and when one last told of consent.
COLUMNS = SESSION.columns | {
    "identified_at": Column("timestamp", "When the customer was first named", optional=True),
    "consented_at": Column("timestamp", "When the visitor last chose", optional=True),
}

NEVER = "'9'"  # after every time
FIRST_OF_ALL = "'1970-01-01 00:00:00+00'"  # when a browser is named that buys as a guest

_YES = "'true', 'yes', 'y', 't', '1', 'granted', 'allowed'"
_NO = "'false', 'no', 'n', 'f', '0', 'denied', 'withdrawn'"


def sessions(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    facts: Facts,
    contract: Contract,
    open_files: ExitStack,
) -> Rows:
    """Return the sessions of events.

    Events without a session, as where consent was refused, are left out, and counted.
    """
    open_files.callback(connection.execute, "DROP TABLE IF EXISTS event_sessions")
    known = [
        name for name in FACTS if name in facts.columns
    ]  # each column takes memory, empty or not
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE event_sessions AS
        SELECT session_id, COUNT(*) AS events, {earliest(known)}, {customer()}, {consent()}
        FROM {told(facts, contract, known)} GROUP BY session_id"""
    )
    made = [name for name in COLUMNS if name not in FACTS or name in known]
    return as_rows(rows, made)


def told(facts: Facts, contract: Contract, names: Iterable[str]) -> str:
    """Return what each event tells of its session, as texts, with when it names a customer, and chooses.

    Who buys and is named by nobody is the browser, whoever else is named in the session.
    """
    named = [
        "session_id",
        "customer_id",
        "consent",
        *(each for each in names if each != "started_at"),
    ]
    texts = ", ".join(f"{_text(facts.columns.get(name, 'NULL'))} AS {name}" for name in named)
    known = ", ".join(f"{something(name, name, contract)} AS {name}" for name in named)
    started_at = f"TRY_CAST({facts.columns['started_at']} AS TIMESTAMPTZ)::TIMESTAMP::TEXT || '+00'"
    chosen = f"""CASE WHEN LOWER(consent) IN ({_YES}) THEN 'true'
      WHEN LOWER(consent) IN ({_NO}) THEN 'false' ELSE consent END"""
    return f"""(
      SELECT * EXCLUDE guest REPLACE (COALESCE(customer_id, guest) AS customer_id, {chosen} AS consent),
      CASE WHEN customer_id IS NOT NULL THEN started_at
        WHEN guest IS NOT NULL THEN {FIRST_OF_ALL} END AS identified_at,
      IF(consent IS NOT NULL, started_at, NULL) AS consented_at
      FROM (SELECT {known}, started_at, guest FROM (
        SELECT {texts}, {started_at} AS started_at, {_text(facts.guest)} AS guest FROM {facts.relation}
      ))
    )"""


def as_rows(rows: Rows, columns: Iterable[str]) -> Rows:
    """Return the rows of the table that was made of events."""
    return rows._replace(
        relation="(FROM event_sessions WHERE session_id IS NOT NULL)",
        columns={name: name for name in columns},
        number="ROW_NUMBER() OVER ()",
        line="number",
        lines="1",
        native={},
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
            SELECT row_key, {earliest()}, {customer()}, {consent()} FROM session_versions GROUP BY row_key
          ) AS merged ON delivered.row_key = merged.row_key AND delivered.reason IS NULL
          ORDER BY ordinal
        ) TO {literal(str(target))} (FORMAT parquet);
        DROP TABLE session_versions; DROP TABLE IF EXISTS begun_sessions"""
    )


def earliest(names: Iterable[str] = FACTS) -> str:
    """Return SQL for a session's facts in the earliest of several rows.

    Of two rows of one moment, the one with the most facts about where the visitor came from counts.
    """
    facts = ", ".join(f"{name} := {name}" for name in names)
    return f"UNNEST(ARG_MIN(STRUCT_PACK({facts}), {_order(list(names))}))"


def _order(names: Sequence[str]) -> str:
    """Return SQL for the place of a row among those of its session."""
    leads = [name for name in names if name in LEADS]
    count_missing = f"PRINTF('%03d', {len(LEADS)} - LIST_COUNT([{', '.join(leads)}]))"
    texts = ", ".join(f"COALESCE({name}, '')" for name in names)
    return f"[COALESCE(started_at, {NEVER}), {count_missing}, {texts}]"


def customer() -> str:
    """Return SQL for the customer who is named first in several rows, and when."""
    identity = f"[COALESCE(identified_at, {NEVER}), customer_id]"
    identified = f"MIN({identity}) FILTER (customer_id IS NOT NULL)"
    return f"({identified})[2] AS customer_id, NULLIF(({identified})[1], {NEVER}) AS identified_at"


def consent() -> str:
    """Return SQL for what was chosen last in several rows, and when; of two at once, a refusal counts."""
    place = "CONCAT(consented_at, IF(consent = 'true', '0', '1'), consent)"
    chosen = f"ARG_MAX(consent, {place}) FILTER (consent IS NOT NULL)"
    return f"{chosen} AS consent, MAX(consented_at) AS consented_at"


def _text(value: str) -> str:
    return f"NULLIF(TRIM(({value})::TEXT, {literal(BLANKS)}), '')"
