"""Say what the rows of some people are called: they are renamed with them, and known again by their marks."""

import duckdb

from pipelines.contracts.people import CONVERSION, NAMING, PEOPLE, REFUND, TOUCHPOINT
from pipelines.erasing.linked_people import Identifier
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import HAS_AMOUNT
from pipelines.lake.tombstones import plain
from pipelines.settings.client import Client


def named_rows(
    connection: duckdb.DuckDBPyConnection, client: Client, own: list[Identifier]
) -> list[Identifier]:
    """Return what the rows of a person are called: their sessions, events, orders and memberships.

    A deal on which others are, too, keeps its id: it is the account's.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE person (kind TEXT, value TEXT)")
    if own:
        connection.executemany("INSERT INTO person VALUES (?, ?)", [list(each) for each in own])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE called (source_table TEXT, kind TEXT, value TEXT)"
    )
    others = list[str]()
    for (source, table), columns in NAMING.items():
        log = SourceLog(client.id, source)
        first, kinds = next(iter(columns.items()))
        people = {name: each[0] for name, each in columns.items() if each[0] in PEOPLE}
        if not log.has(table) or not people:
            continue
        is_theirs = " OR ".join(
            f"{plain(name)} IN (SELECT value FROM person WHERE kind = '{kind}')"
            for name, kind in people.items()
        )
        rows = log.rows(table, columns)
        if kinds[0] not in PEOPLE:
            for kind, name in [(kind, name) for kind in kinds for name in (first, "row_key")]:
                connection.execute(
                    f"""INSERT INTO called SELECT DISTINCT '{table}', '{kind}', {plain(name)}
                    FROM {rows} AS log WHERE ({is_theirs}) AND {name} IS NOT NULL"""
                )
        if table == "events":  # a visit that nobody else had
            connection.execute(
                f"""INSERT INTO called SELECT 'events', '{TOUCHPOINT}', {plain("session_id")} AS session
                FROM {rows} AS log WHERE session IS NOT NULL
                GROUP BY session HAVING BOOL_AND(COALESCE({is_theirs}, FALSE))"""
            )
        deal = {"contact_roles": "opportunity_id", "leads": "converted_opportunity_id"}.get(table)
        if deal:
            others.append(
                f"SELECT {plain(deal)} FROM {rows} AS log WHERE NOT COALESCE({is_theirs}, FALSE)"
                f" AND {deal} IS NOT NULL"
            )
    elsewhere = " UNION ALL ".join(others) or "SELECT '' WHERE FALSE"
    found = connection.execute(
        f"""SELECT DISTINCT kind, value FROM called
        WHERE source_table <> 'opportunities' OR value NOT IN ({elsewhere})"""
    ).fetchall()
    rows_of = [Identifier(*each) for each in found]
    return [*rows_of, *_refunds_of(connection, client, rows_of)]


def _refunds_of(
    connection: duckdb.DuckDBPyConnection, client: Client, rows_of: list[Identifier]
) -> list[Identifier]:
    """Return what the refunds of some orders are called."""
    log = SourceLog(client.id, "web")
    if not log.has("refunds"):
        return []
    rows = connection.execute(
        f"""SELECT DISTINCT {plain("name")} FROM (
          SELECT UNNEST([refund_id, row_key]) AS name FROM {log.rows("refunds", ["refund_id"])} AS log
          WHERE {plain("conversion_id")} IN (SELECT UNNEST($orders::TEXT[]))
        ) WHERE name IS NOT NULL""",
        {"orders": [each.value for each in rows_of if each.kind == CONVERSION]},
    ).fetchall()
    return [Identifier(REFUND, value) for (value,) in rows]


def with_money(
    connection: duckdb.DuckDBPyConnection, client: Client, rows_of: list[Identifier]
) -> list[Identifier]:
    """Return which of some rows have an amount, and which take one off: more of these may come later."""
    conversions = [each.value for each in rows_of if each.kind == CONVERSION]
    found = {each for each in rows_of if each.kind == REFUND}
    for (source, table), has_amount in HAS_AMOUNT.items():
        log, own = SourceLog(client.id, source), next(iter(NAMING[source, table]))
        for name in (own, "row_key") if log.has(table) else ():
            rows = connection.execute(
                f"""SELECT DISTINCT {plain(name)} AS value FROM {log.rows(table)} AS log
                WHERE {has_amount} AND value IN (SELECT UNNEST($conversions::TEXT[]))""",
                {"conversions": conversions},
            ).fetchall()
            found |= {Identifier(CONVERSION, value) for (value,) in rows}
    return sorted(found)
