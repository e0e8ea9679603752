"""Cut what a browser does into sessions, where events have none: by silence, and by another campaign.

Events with no more than 30 minutes between them are one stretch. A stretch is one session, and each
event in it that brings another campaign than the one before it begins another one. The customer of
its sessions is the one who is named first in the stretch, and the consent what was chosen last.

A stretch may be spread over files, in any order. So a session keeps until when it lasts, and each
moment at which it was told a campaign: with these, `merge` cuts all anew, as if of one file.
"""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from pipelines.contracts.contract import Column, Contract
from pipelines.sources.batches import Rows
from pipelines.sources.files.event_facts import Facts
from pipelines.sources.files.event_sessions import COLUMNS as OF_EVENTS
from pipelines.sources.files.event_sessions import (
    FACTS,
    as_rows,
    consent,
    customer,
    earliest,
    told,
)
from pipelines.sql import literal

SILENCE = "INTERVAL '30' MINUTE"

COLUMNS = OF_EVENTS | {
    "active_until": Column("timestamp", "Until when it lasts", optional=True),
    "landings": Column(
        "text", "When it was told which campaign, as JSON", optional=True, is_address=True
    ),
}

# What makes a campaign: an event without any of these tells none.
_CAMPAIGN = [
    name for name in FACTS if name not in ("visitor_id", "started_at", "channel", "referrer")
]
_CAMPAIGN = [
    name for name in _CAMPAIGN if not name.endswith("_engagement") and name != "landing_page"
]
_LEADING = [name for name in FACTS if name not in ("visitor_id", "started_at")]


def sessions(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    facts: Facts,
    contract: Contract,
    open_files: ExitStack,
) -> Rows:
    """Return the sessions of events. Events of no browser are left out, and counted."""
    landing = ", ".join(f"{name} := {name}" for name in _LEADING)
    is_landing = f"COALESCE({', '.join(_CAMPAIGN)}) IS NOT NULL"
    open_files.callback(connection.execute, "DROP TABLE IF EXISTS event_sessions")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE session_atoms AS
        SELECT * EXCLUDE session_id, started_at AS active_until,
        IF({is_landing}, [{{moment: started_at, facts: to_json(STRUCT_PACK({landing}))::TEXT}}], []) AS landings
        FROM {told(facts, contract, FACTS)}"""
    )
    _cut(connection)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE event_sessions AS
        SELECT {", ".join(COLUMNS)}, COUNT_STAR() OVER () * 0 AS events FROM cut_sessions
        UNION ALL BY NAME SELECT visitor_id AS session_id, visitor_id, COUNT(*) AS events
        FROM session_atoms WHERE visitor_id IS NOT NULL AND started_at IS NULL GROUP BY visitor_id
        UNION ALL BY NAME SELECT COUNT(*) AS events FROM session_atoms WHERE visitor_id IS NULL"""
    )
    connection.execute(
        """UPDATE event_sessions SET events = (SELECT COUNT(*) FROM session_atoms
        WHERE visitor_id IS NOT NULL AND started_at IS NOT NULL)
        WHERE session_id = (SELECT MIN(session_id) FROM cut_sessions);
        DROP TABLE session_atoms; DROP TABLE cut_sessions"""
    )
    return as_rows(rows, COLUMNS)


def merge(connection: duckdb.DuckDBPyConnection, delivered: str, stored: str, target: Path) -> None:
    """Write the sessions of the browsers that are delivered, cut anew together with what is stored of them.

    A stored session that is part of another one now is marked as deleted.
    """
    columns = ", ".join(f"{name}" for name in COLUMNS)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE known_sessions AS
        SELECT row_key, {columns} FROM {delivered} WHERE FALSE"""
    )
    if stored:
        connection.execute(
            f"""INSERT INTO known_sessions SELECT row_key, {columns} FROM (
              SELECT row_key, is_deleted, {columns} FROM {stored} AS log
              WHERE visitor_id IN (SELECT visitor_id FROM {delivered} WHERE reason IS NULL)
              QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
            ) WHERE NOT is_deleted"""
        )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE session_atoms AS
        SELECT * EXCLUDE session_id REPLACE ({_LANDINGS_READ} AS landings) FROM (
          SELECT {columns} FROM {delivered} WHERE reason IS NULL
          UNION ALL SELECT {columns} FROM known_sessions
        )"""
    )
    _cut(connection)
    own = [name for name in _columns(connection, delivered) if name not in (*COLUMNS, "row_key")]
    own = [name for name in own if name not in ("ordinal", "is_deleted", "reason")]
    of_delivery = ", ".join(f"ARG_MIN({name}, ordinal) AS {name}" for name in own)
    connection.execute(
        f"""COPY (
          WITH deliveries AS (
            SELECT visitor_id, {of_delivery} FROM {delivered} WHERE reason IS NULL GROUP BY visitor_id
          ), merged AS (
            SELECT * FROM {delivered} WHERE reason IS NOT NULL
            UNION ALL BY NAME
            SELECT {columns}, session_id AS row_key, FALSE AS is_deleted, NULL::TEXT AS reason,
            deliveries.* EXCLUDE visitor_id FROM cut_sessions JOIN deliveries USING (visitor_id)
            UNION ALL BY NAME
            SELECT known.*, TRUE AS is_deleted, NULL::TEXT AS reason, deliveries.* EXCLUDE visitor_id
            FROM known_sessions AS known JOIN deliveries USING (visitor_id)
            WHERE known.row_key NOT IN (SELECT session_id FROM cut_sessions)
          )
          SELECT * REPLACE (ROW_NUMBER() OVER (ORDER BY ordinal, row_key) AS ordinal) FROM merged
          ORDER BY ordinal
        ) TO {literal(str(target))} (FORMAT parquet);
        DROP TABLE known_sessions; DROP TABLE session_atoms; DROP TABLE cut_sessions"""
    )


# Of the moments at which one campaign was told, its facts are written once.
_LANDINGS_WRITTEN = """to_json(LIST_TRANSFORM(
  LIST_SORT(LIST_DISTINCT(LIST_TRANSFORM(landings, lambda one: one.facts))), lambda told: {
    facts: told,
    moments: LIST_SORT(LIST_TRANSFORM(
      LIST_FILTER(landings, lambda one: one.facts = told), lambda one: one.moment))
  }))::TEXT"""
_LANDINGS_READ = """FLATTEN(LIST_TRANSFORM(
  from_json(COALESCE(landings, '[]'), '[{"facts": "TEXT", "moments": ["TEXT"]}]'),
  lambda one: LIST_TRANSFORM(one.moments, lambda each: {moment: each, facts: one.facts})))"""


def _cut(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `cut_sessions` of `session_atoms`: events, or sessions that were made of some before."""
    connection.execute(_STRETCHES)
    campaign = ", ".join(f"json_extract_string(facts, '$.{name}')" for name in _CAMPAIGN)
    leading = ", ".join(f"json_extract_string(facts, '$.{name}') AS {name}" for name in _LEADING)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE cut_sessions AS
        WITH landings AS (
          SELECT DISTINCT visitor_id, stretch, landing.moment AS moment, landing.facts AS facts
          FROM (SELECT visitor_id, stretch, UNNEST(landings) AS landing FROM stretches)
        ), told AS (
          SELECT *, [{campaign}] AS campaign FROM landings
        ), changes AS (
          SELECT * FROM told QUALIFY campaign IS DISTINCT FROM
            LAG(campaign) OVER (PARTITION BY visitor_id, stretch ORDER BY moment, facts)
        ), begun AS (
          SELECT visitor_id, stretch, moment AS started_at, {leading} FROM changes
          UNION ALL BY NAME
          SELECT visitor_id, stretch, {", ".join(FACTS[1:])}
          FROM stretches QUALIFY started_at = MIN(started_at) OVER (PARTITION BY visitor_id, stretch)
        ), begins AS (
          SELECT visitor_id, stretch, started_at, {earliest()} FROM begun
          GROUP BY visitor_id, stretch, started_at
        ), whole AS (
          SELECT visitor_id, stretch, MAX(active_until) AS ends_at, {customer()}, {consent()}
          FROM stretches GROUP BY visitor_id, stretch
        ), lasting AS (
          SELECT *, LEAD(started_at) OVER (PARTITION BY visitor_id, stretch ORDER BY started_at) AS next_at
          FROM begins
        ), with_landings AS (
          SELECT lasting.visitor_id, lasting.started_at,
          LIST({{moment: told.moment, facts: told.facts}}) AS landings
          FROM lasting JOIN told ON lasting.visitor_id = told.visitor_id AND lasting.stretch = told.stretch
          AND told.moment >= lasting.started_at AND (next_at IS NULL OR told.moment < next_at)
          GROUP BY lasting.visitor_id, lasting.started_at
        )
        SELECT visitor_id || '.' || EPOCH_MS(started_at::TIMESTAMPTZ) AS session_id,
        lasting.* EXCLUDE (stretch, next_at), customer_id, identified_at, consent, consented_at,
        COALESCE(next_at, ends_at) AS active_until, {_LANDINGS_WRITTEN} AS landings
        FROM lasting JOIN whole USING (visitor_id, stretch)
        LEFT JOIN with_landings USING (visitor_id, started_at)"""
    )
    connection.execute("DROP TABLE stretches")


_STRETCHES = f"""CREATE OR REPLACE TEMP TABLE stretches AS
SELECT * EXCLUDE begins, SUM(begins::INT) OVER (
  PARTITION BY visitor_id ORDER BY started_at, active_until ROWS UNBOUNDED PRECEDING
) AS stretch FROM (
  SELECT *, COALESCE(started_at::TIMESTAMPTZ > {SILENCE} + MAX(active_until::TIMESTAMPTZ) OVER (
    PARTITION BY visitor_id ORDER BY started_at, active_until
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), TRUE) AS begins
  FROM session_atoms WHERE visitor_id IS NOT NULL AND started_at IS NOT NULL
)"""


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [name for name, *_ in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
