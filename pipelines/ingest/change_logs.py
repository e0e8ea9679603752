"""Tell a log of changes from rows that share an id for other reasons.

Of a deal's changes the last one counts. Of the events of a session, or the items of an order, each
counts: to take the newest would lose the others. What a row says it was changed at tells the two
apart; without it, what happens once, such as a session or an order, is not taken for a log, nor is a
file in which two rows of one key differ in nothing but money.
"""

import re
from enum import Enum

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.files.status_names import words
from pipelines.sql import literal, only_row

_CHANGED = {
    *("updated", "modified", "changed", "modification", "systemmodstamp", "version", "revision"),
    *("lastmodified", "lastupdate", "geändert", "aktualisiert", "modstamp"),
}


class Order(Enum):
    """In which order the rows of one key stand."""

    OLDEST_FIRST = 1
    NEWEST_FIRST = 2
    NOT_KNOWN = 3
    OF_EVENTS = 4


def order_of_changes(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Order:
    """Return in which order the rows of one key that differ stand, if they are changes.

    They are in `differing`, and what nobody reads of them in `places`.
    """
    happens = contract.dated_by[0] if contract.happens_once else ""
    if happens and several(connection, f"differing.{happens}"):
        return Order.OF_EVENTS
    (unread,) = only_row(connection.execute("SELECT ANY_VALUE(json_keys(unread)) FROM places"))
    orders = [_order_by(connection, name) for name in unread or [] if dates_changes(name)]
    for order in (Order.OLDEST_FIRST, Order.NEWEST_FIRST):
        if order in orders:
            return order
    if "is_won" in contract.columns and _are_reopened(connection):
        return Order.NEWEST_FIRST
    are_parts = happens or _differ_in_money_alone(connection, contract)
    return Order.OF_EVENTS if are_parts else Order.NOT_KNOWN


def _are_reopened(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether deals go from won to open, and none is won in the end: so they stand newest first."""
    won, ended = only_row(
        connection.execute(
            """SELECT COUNT(*) FILTER (begins AND NOT ends), COUNT(*) FILTER (NOT begins AND ends) FROM (
              SELECT ARG_MIN(is_won, ordinal) AS begins, ARG_MAX(is_won, ordinal) AS ends FROM (
                SELECT row_key, ordinal, TRY_CAST(is_won AS BOOLEAN) AS is_won FROM differing
              ) GROUP BY row_key
            )"""
        )
    )
    return bool(won and not ended)


def _differ_in_money_alone(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """Return whether two rows of one key say the same but for amounts, as the items of an order do.

    Of a deal that went through several stages two rows may still be the items that it was closed with.
    """
    columns = {name: each.is_money for name, each in contract.columns.items()}
    others = ", ".join(f"{name}::TEXT" for name, is_money in columns.items() if not is_money)
    amounts = ", ".join(f"{name}::TEXT" for name, is_money in columns.items() if is_money)
    query = f"""SELECT 1 FROM differing GROUP BY row_key, HASH([{others}])
      HAVING COUNT(DISTINCT HASH([{amounts}]::TEXT[])) > 1 LIMIT 1"""
    return bool(connection.execute(query).fetchall())


def dates_changes(name: str) -> bool:
    """Return whether a column is called after when a row was changed last: `Last Modified`."""
    return bool(set(words(name)) & _CHANGED) or bool(re.fullmatch("_?version|rev", name.lower()))


def _order_by(connection: duckdb.DuckDBPyConnection, name: str) -> Order:
    """Return the order by a column that nobody reads, of numbers or times that are never the same."""
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    text = f"json_extract_string(unread, {pointer})"
    value = f"COALESCE(TRY_CAST({text} AS DOUBLE), EPOCH(TRY_CAST({text} AS TIMESTAMPTZ)))"
    rises, falls = only_row(
        connection.execute(
            f"""SELECT COALESCE(BOOL_AND(is_first OR value > before), FALSE),
            COALESCE(BOOL_AND(is_first OR value < before), FALSE) FROM (
              SELECT COALESCE({value}, 'nan') AS value, LAG(value) OVER rows AS before,
              ROW_NUMBER() OVER rows = 1 AS is_first
              FROM differing JOIN places USING (ordinal)
              WINDOW rows AS (PARTITION BY row_key ORDER BY ordinal)
            )"""
        )
    )
    if rises:
        return Order.OLDEST_FIRST
    return Order.NEWEST_FIRST if falls else Order.NOT_KNOWN


def several(connection: duckdb.DuckDBPyConnection, value: str) -> bool:
    """Return whether rows of one key have several of a value."""
    query = f"""SELECT 1 FROM differing GROUP BY row_key
      HAVING MIN({value}) <> MAX({value}) LIMIT 1"""
    return bool(connection.execute(query).fetchall())
