"""Take a day for the same day however it is written: `2026-10-01`, `2026/10/1`, `2026-10-01 00:00:00`.

A day is a part of the key of spend and of rates. Were each way of writing it a key of its own, an
export that begins to write its days with an hour would count them twice. Rows of several hours of
a day stay apart, each hour one key however it is written: 13:00, 13:00:00.

Until version 0.10 the key was made of the text. What the lake has under such a key keeps it, so
that a new version of the row replaces it.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.table import Table
from pipelines.sql import literal

_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_OFFSET = "Z|UTC|[+-][0-9:]+"
_CLOCK = "[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_MIDNIGHT = f"[T ]0?0:00(:00([.]0+)?)?( *({_OFFSET}))?"


def key_of(contract: Contract) -> str:
    """Return SQL for the key of a row whose identity is made of several columns."""
    parts = [
        _plain_day(name) if contract.columns[name].type == "date" else name
        for name in contract.identity
    ]
    return _hash(parts)


def keep_known(connection: duckdb.DuckDBPyConnection, table: Table, target: Path) -> bool:
    """Write `delivered` with the keys that the lake has of its rows by the text of their day.

    Return whether there are any; otherwise nothing is written.
    """
    contract = table.delivery.contract
    days = [name for name in contract.identity if contract.columns[name].type == "date"]
    if len(contract.identity) < 2 or not days or not table.is_stored:
        return False
    otherwise = " OR ".join(f"{name} <> {_plain_day(name)}" for name in days)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE known_keys AS
        SELECT ordinal, by_text FROM (
          SELECT ordinal, {_hash(list(contract.identity))} AS by_text
          FROM delivered WHERE {otherwise}
        ) SEMI JOIN {table.stored} AS log ON by_text = log.row_key"""
    )
    if not connection.execute("FROM known_keys LIMIT 1").fetchall():
        return False
    connection.execute(
        f"""COPY (
          SELECT delivered.* REPLACE (COALESCE(by_text, row_key) AS row_key)
          FROM delivered LEFT JOIN known_keys USING (ordinal) ORDER BY ordinal
        ) TO {literal(str(target))} (FORMAT parquet)"""
    )
    return True


def bare_key_of(contract: Contract) -> str:
    """Return SQL for the key of a row if its days had no hours."""
    days = {name: _day(name) for name in contract.identity if contract.columns[name].type == "date"}
    return _hash([days.get(name, name) for name in contract.identity])


def has_hour(name: str) -> str:
    """Return SQL for whether a day is written with an hour after midnight."""
    return f"(STRLEN({name}) > 10 AND NOT REGEXP_FULL_MATCH({name}, '{_DAY}({_MIDNIGHT})?'))"


def _plain_day(name: str) -> str:
    """Return SQL for a day as 2026-10-01, an hour of it as 2026-10-01 13:00:00; else for the text."""
    moment = f"TRY_CAST(REGEXP_EXTRACT({name}, '^{_DAY}{_CLOCK}') AS TIMESTAMP)"
    offset = f"REGEXP_EXTRACT({name}, '({_OFFSET})$', 1)"
    return f"""CASE WHEN {name} LIKE '____-__-__' THEN {name}
      WHEN REGEXP_FULL_MATCH({name}, '{_DAY}({_MIDNIGHT})?') THEN COALESCE({_day(name)}, {name})
      WHEN REGEXP_FULL_MATCH({name}, '{_DAY}{_CLOCK}( *({_OFFSET}))?')
      THEN COALESCE(STRFTIME({moment}, '%Y-%m-%d %H:%M:%S') || {offset}, {name})
      ELSE {name} END"""


def _day(name: str) -> str:
    return f"TRY_CAST(REGEXP_EXTRACT({name}, '{_DAY}') AS DATE)::TEXT"


def _hash(parts: list[str]) -> str:
    return f"md5(to_json([{', '.join(parts)}])::TEXT)"
