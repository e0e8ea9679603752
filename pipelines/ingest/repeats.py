"""Settle what it means that a key comes several times in one file.

Rows of one key that say the same are one row, and ingest counts the others as superseded. Rows that differ
are a question of grain: a report by device has a row for each device, all with one campaign's key.
"""

import json
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import SQL_TYPES, Contract
from pipelines.ingest import same_rows
from pipelines.ingest.change_logs import Order, order_of_changes, several
from pipelines.ingest.content import compared, meant
from pipelines.ingest.refund_remedies import as_refunds, have_refunds
from pipelines.ingest.table import Table
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Remedy, Rows
from pipelines.sources.deliveries import TableDelivery
from pipelines.sql import literal, only_row

_ROWS_SHOWN, _COLUMNS_SHOWN = 3, 2  # of an example
_LONG = 40  # characters of a value


class Taken(NamedTuple):
    """A batch that was validated: the file of its rows, and the ordinals used before them.

    `export` has the settings by which its header says that it is read, where that is so.
    """

    batch: Batch
    rows: Path
    ordinals_used: int
    export: Export | None = None


class Settled(NamedTuple):
    """The file of a batch's rows once its keys are settled, how many went into others, and what is said.

    Where it is known, each good row's key `comes_once`.
    """

    rows: Path
    summed: int = 0
    notes: list[str] = []
    comes_once: bool = False


def settle(connection: duckdb.DuckDBPyConnection, table: Table, taken: Taken) -> Settled:
    """Settle the keys that come several times in a batch: rows that say the same are one.

    Raise ExportError, which shows an example, if rows of one key differ and the export does not say
    what that means, or if they say the same and each may count: see `same_rows`.
    """
    table = table.read_by(taken.export)
    delivery = table.delivery
    if delivery.grain == "newest":
        return Settled(taken.rows)
    if not _repeated(connection, taken.rows):
        return Settled(taken.rows, comes_once=True)
    if _differ(connection, table.client, delivery):
        with taken.batch.open(connection) as rows:  # within, so that what was downloaded stays
            _look_up(connection, taken, rows.with_care())
            raise _refusal(connection, delivery, taken)
    if delivery.grain == "sum":
        notes = same_rows.doubled(connection, table, taken.batch, str(taken.rows))
        return Settled(*_add_up(connection, delivery, taken.rows), notes)
    notes = _of_same(connection, table, taken)
    target = taken.rows.with_suffix(".settled")
    dropped = same_rows.one_of_each(connection, str(taken.rows), str(target))
    return Settled(target, dropped, notes)


def _of_same(connection: duckdb.DuckDBPyConnection, table: Table, taken: Taken) -> list[str]:
    """Return what is said of rows that say the same. Raise ExportError if each of them may count."""
    adds_parts = table.delivery.contract.adds and not table.delivery.contract.converts
    if not adds_parts and not same_rows.money(connection, table):
        return []
    with taken.batch.open(connection) as rows:
        _look_up(connection, taken, rows.with_care())
        if adds_parts and _differ_elsewhere(connection):
            raise _refusal(connection, table.delivery, taken)
        return same_rows.judge(connection, table, taken.batch)


def _repeated(connection: duckdb.DuckDBPyConnection, rows: Path) -> int:
    """Keep the good rows whose key comes several times in a file; return how many there are."""
    good = f"read_parquet({literal(str(rows))}) WHERE reason IS NULL"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT * FROM (FROM {good} AND HASH(row_key) IN (
          SELECT HASH(row_key) AS tag FROM {good} GROUP BY tag HAVING COUNT(*) > 1
        )) QUALIFY COUNT(*) OVER (PARTITION BY row_key) > 1"""
    )
    return only_row(connection.execute("SELECT COUNT(*) FROM repeated"))[0]


def _differ(connection: duckdb.DuckDBPyConnection, client: Client, delivery: TableDelivery) -> bool:
    """Keep the rows of keys whose rows differ in what must agree; return whether there are any.

    Rows that are added up may differ in all but their currency: of a name the last one counts. Items of
    one conversion differ in what is added up, and in nothing else.
    """
    currency = f"COALESCE(currency, {literal(client.currency)})"
    values = [
        currency if name == "currency" else compared(delivery.contract, name)
        for name in _compared(delivery)
    ]
    return _kept(connection, f"HASH([{', '.join(f'{value}::TEXT' for value in values)}])")


def _compared(delivery: TableDelivery) -> list[str]:
    """Return the columns in which rows of one key must agree: all, where a key may be one id."""
    contract = delivery.contract
    of_key = (contract.own_id,) if contract.own_id else contract.identity
    others = [name for name in contract.columns if name not in of_key]
    if delivery.grain != "sum":
        return others
    return [
        name
        for name in others
        if name == "currency" or (contract.converts and name not in contract.adds)
    ]


def _kept(connection: duckdb.DuckDBPyConnection, content: str, relation: str = "repeated") -> bool:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE differing AS
        FROM (SELECT *, {content} AS content FROM {relation})
        QUALIFY MIN(content) OVER (PARTITION BY row_key) <> MAX(content) OVER (PARTITION BY row_key)"""
    )
    return bool(connection.execute("FROM differing LIMIT 1").fetchall())


def _look_up(connection: duckdb.DuckDBPyConnection, taken: Taken, rows: Rows) -> None:
    """Keep where the repeated rows stand in the file, and what it says there that nobody reads."""
    unread = ", ".join(f"{literal(name)}: {value}::TEXT" for name, value in rows.unread.items())
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE places AS
        SELECT * EXCLUDE number, {taken.ordinals_used} + number AS ordinal FROM (
          SELECT {rows.number} AS number, {rows.line} AS place,
          {f"to_json({{{unread}}})::TEXT" if unread else "'{}'"} AS unread FROM {rows.relation}
        ) WHERE {taken.ordinals_used} + number IN (SELECT ordinal FROM repeated)"""
    )


def _differ_elsewhere(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether rows that say the same differ in what nobody reads, such as a device.

    Two devices may cost the same on a day; where costs add up, one of two rows would be lost.
    """
    return _kept(connection, "HASH(unread)", "(FROM repeated JOIN places USING (ordinal))")


def _refusal(
    connection: duckdb.DuckDBPyConnection, delivery: TableDelivery, taken: Taken
) -> ExportError:
    """Return the error that says how many rows there are, shows some of one key, and what to do."""
    total = f"(SELECT COUNT(*) FROM read_parquet({literal(str(taken.rows))}))"
    count, total = only_row(connection.execute(f"SELECT COUNT(*), {total} FROM differing"))
    example = connection.execute(_EXAMPLE.format(limit=_ROWS_SHOWN)).fetch_arrow_table().to_pylist()
    contract, first = delivery.contract, example[0]
    order = order_of_changes(connection, contract)
    has_own_id = contract.own_id and first[contract.own_id]
    identity = (contract.own_id,) if has_own_id else contract.identity
    key = ", ".join(f"{name} '{first[name]}'" for name in identity if first[name])
    return taken.batch.refused(
        f"{count} of {total} rows share their key with a row that says something else: lines"
        f" {_listed([row['place'] for row in example])} have {key}, but"
        f" {_differences(delivery, example)}. {_advice(delivery, first, order)}",
        remedies=_remedies(connection, delivery, order),
    )


# Of the first key that several rows have: the first rows that each say something else.
_EXAMPLE = """
SELECT * FROM differing JOIN places USING (ordinal)
WHERE row_key = (SELECT ARG_MIN(row_key, ordinal) FROM differing)
QUALIFY ROW_NUMBER() OVER (PARTITION BY content ORDER BY ordinal) = 1
ORDER BY ordinal LIMIT {limit}
"""


def _differences(delivery: TableDelivery, example: list[dict]) -> str:
    """Return in which columns the rows of an example differ, and by which values."""
    names = [
        name
        for name in _compared(delivery)
        if len({meant(delivery.contract, name, row[name]) for row in example}) > 1
    ]
    read = [{name: row[name] for name in names} for row in example]
    unread = [json.loads(row["unread"]) for row in example]
    return "; ".join([*_differing(read), *(f"{each} (not read)" for each in _differing(unread))])


def _differing(rows: list[dict]) -> list[str]:
    """Return the first columns in which rows differ, each with its values, in the rows' order."""
    values = {name: [_shown(row[name]) for row in rows] for name in rows[0]}
    differing = [name for name, texts in values.items() if len(set(texts)) > 1]
    return [f"{name} {', '.join(values[name])}" for name in differing[:_COLUMNS_SHOWN]]


def _shown(value: object) -> str:
    text = "nothing" if value is None else f"'{value}'"
    return text if len(text) <= _LONG else f"{text[:_LONG]}…'"


def _listed(texts: list, last_word: str = "and") -> str:
    *others, last = map(str, texts)
    return f"{', '.join(others)} {last_word} {last}" if others else last


def _remedies(
    connection: duckdb.DuckDBPyConnection, delivery: TableDelivery, order: Order
) -> list[Remedy]:
    """Return the line that says what several rows of one key are, where one may be right."""
    contract = delivery.contract
    if contract.converts == "TRUE" and have_refunds(connection, "differing"):
        return [as_refunds()]
    if delivery.grain != "one":
        return []
    if contract.adds and not contract.converts:
        return [Remedy("grain: sum")]
    if order is Order.OF_EVENTS and contract.adds and not _differ_beyond(connection, contract):
        items = f"they are items, of which {_listed(list(contract.adds))} is added up"
        return [Remedy("grain: sum", meaning=items)]
    if order in (Order.OF_EVENTS, Order.NEWEST_FIRST):
        return []
    meaning = "it is a log of changes, oldest first, of which the last row counts"
    return [Remedy("grain: newest", meaning=meaning)]


def _differ_beyond(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """Return whether rows of one key differ in more than what adds up, as a refund does."""
    others = [name for name in contract.columns if name not in (*contract.identity, *contract.adds)]
    return several(connection, f"HASH([{', '.join(f'differing.{name}::TEXT' for name in others)}])")


def _advice(delivery: TableDelivery, row: dict, order: Order) -> str:
    """Return what to do about rows of one key: what tells them apart, or what they are."""
    contract = delivery.contract
    if delivery.grain == "sum" and contract.converts:
        own = contract.identity[0]
        return f"Items of one {own} agree in all but what is added up: give a refund, or what is another, its own {own}"
    if delivery.grain == "sum":
        return "Money of several currencies cannot be added up: deliver each currency by itself"
    free = [name for name in contract.identity if not row[name]] or list(contract.identity)
    free = [contract.own_id] if contract.own_id else free
    apart = f"Map {_listed(free, 'or')} to what tells them apart"
    if contract.adds and not contract.converts:
        added = _listed(list(contract.adds))
        return f"{apart}, export it without the breakdown, or have {added} added up"
    if order is Order.NEWEST_FIRST:
        return f"{apart}, or export one row of each: its changes stand newest first, export them oldest first"
    if order is Order.OF_EVENTS:
        return f"{apart}, or export one row of each: of several events the first, of several items their sum"
    return f"{apart}, or export one row of each"


def _add_up(
    connection: duckdb.DuckDBPyConnection, delivery: TableDelivery, rows: Path
) -> tuple[Path, int]:
    """Add up the rows of each key; return the file of all rows, and how many went into others.

    Of what is no number the last row counts that has it, and a sum is in the place of that row.
    """
    contract, source = delivery.contract, f"read_parquet({literal(str(rows))})"
    names = [name for name in contract.columns if name not in contract.identity]
    merged = ", ".join(f"{_merged(delivery, name)} AS {name}" for name in names)
    chosen = ", ".join(
        f"IF(summed.row_key IS NULL, one.{name}, summed.{name}) AS {name}" for name in names
    )
    target = rows.with_suffix(".summed")
    connection.execute(
        f"""COPY (
          SELECT one.* REPLACE ({chosen}) FROM {source} AS one LEFT JOIN (
            SELECT row_key, MAX(ordinal) AS ordinal, {merged} FROM repeated GROUP BY row_key
          ) AS summed ON one.row_key = summed.row_key AND one.reason IS NULL
          WHERE summed.row_key IS NULL OR one.ordinal = summed.ordinal ORDER BY one.ordinal
        ) TO {literal(str(target))} (FORMAT parquet)"""
    )
    saved = "SELECT COUNT(*) - COUNT(DISTINCT row_key) FROM repeated"
    return target, only_row(connection.execute(saved))[0]


def _merged(delivery: TableDelivery, name: str) -> str:
    """Return SQL for a column of rows that are added up; money stays exact."""
    type_ = delivery.contract.columns[name].type
    if name not in delivery.contract.adds:
        return f"ARG_MAX({name}, ordinal)"
    wide = SQL_TYPES[type_].replace("(18,", "(38,")
    return f"SUM({name}::{wide})::TEXT"
