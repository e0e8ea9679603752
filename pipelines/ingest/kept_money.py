"""Keep the money of an erased person's new orders, without the person.

An order or a deal that is delivered later under their id has an amount that is in the totals. So its row stays,
under its own id, by which it is known again when it is delivered again, changed or cancelled. The person's
id becomes one that stands for nobody, and for this row alone: nothing links it with another order of theirs.
An old order of theirs is in the lake, has another id there, and keeps its journey: see `erased_orders`.
"""

import duckdb

from pipelines.contracts.people import ADDRESSES, CLICK_IDS, NAMING, PEOPLE, TOUCHPOINT, UNREAD
from pipelines.ingest.table import HAS_AMOUNT, Table, is_order
from pipelines.lake.tombstones import ERASED
from pipelines.settings.exclusions import excluded_customers
from pipelines.sql import literal


def has_money(table: Table) -> str:
    """Return SQL for whether a row has an amount of its own that no rule of the client's leaves out.

    One that had an amount, and has none any more, takes back what is known.
    """
    has_amount = HAS_AMOUNT.get((table.log.source, table.name), "FALSE")
    if has_amount != "FALSE" and table.is_stored:
        has_amount = f"({has_amount} OR row_key IN (SELECT row_key FROM {table.stored} AS log))"
    people = [name for name, kinds in _named(table).items() if kinds[0] in PEOPLE]
    rule = excluded_customers(table.client.exclude, people)
    return f"{has_amount} AND reason IS NULL AND {rule} IS NULL"


def note_known(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill `known_as` with what the lake says of rows that are kept."""
    if not _telling(table):
        return
    columns = ", ".join(_telling(table))
    query = f"SELECT NULL::TEXT AS row_key, {', '.join(f'NULL::TEXT AS {name}' for name in _telling(table))} WHERE FALSE"
    if table.is_stored:
        query = f"""SELECT row_key, {columns} FROM {table.stored} AS log
        WHERE row_key IN (SELECT row_key FROM kept)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1"""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE known_as AS {query}")


def nobody_instead(
    table: Table, salt: str, is_kept: str, otherwise: dict[str, str]
) -> dict[str, str]:
    """Return SQL by column for what a row that is kept says instead of the person; what others say `otherwise`.

    An old order says what the lake says of it. A deal that was loaded while the person was known keeps
    the name that it got then, so that its credit stays where it was.
    """
    values = {}
    for name in _telling(table):
        known = f"(SELECT ANY_VALUE(known_as.{name}) FROM known_as WHERE known_as.row_key = rows.row_key)"
        new = "NULL"
        if name in CLICK_IDS:
            new = "'erased'"
        elif name in ADDRESSES:
            new = f"REGEXP_REPLACE({otherwise.get(name, name)}, '[?#].*', '')"
        elif name not in UNREAD:
            new = f"'{ERASED}' || LEFT(SHA256({literal(f'{salt} {name} ')} || row_key), 20)"
            new = f"IF(STARTS_WITH({known}, '{ERASED}'), {known}, {new})"
        said = otherwise.get(name, name)
        values[name] = f"""CASE WHEN {is_kept} AND {is_order("row_key")} THEN {known}
          WHEN {is_kept} AND {name} IS NOT NULL THEN {new} ELSE {said} END"""
    return values


def _telling(table: Table) -> list[str]:
    """Return the columns of a table that tell of a person."""
    beside = (*CLICK_IDS, *ADDRESSES, *UNREAD)
    named = _named(table)
    return [
        name
        for name in table.columns
        if name in beside
        or (name in named and (named[name][0] in PEOPLE or named[name] == (TOUCHPOINT,)))
    ]


def _named(table: Table) -> dict[str, tuple[str, ...]]:
    return NAMING.get((table.log.source, table.name), {})
