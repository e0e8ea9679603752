"""Tell the money of rows that say the same under one key: they are one row, and it counts once.

Two items of an order may have one price, and then one of two rows would be lost. Where the export
says nothing of items, the row was written twice, and that is told with its money. Where a column
that nobody reads tells the rows apart, or is called after items, the client is asked.
"""

from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.change_logs import dates_changes
from pipelines.ingest.table import Table
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.files.status_names import words
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import literal, only_row

_ITEM = {  # what an order, or a deal, has several of
    *("item", "items", "lineitem", "line", "lines", "position", "sku", "product", "products"),
    *("variant", "article", "artikel", "produkt", "quantity", "qty", "menge", "anzahl", "unit"),
}
_PRICE = {
    "price",
    "preis",
    "einzelpreis",
    "unit",
    "item",
    "lineitem",
    "line",
    "product",
    "position",
}
_TOTAL = {"total", "order", "grand", "basket", "cart", "sum", "subtotal", "gesamt", "gesamtbetrag"}
_SEVERAL = 3  # rows that all stand there twice
_OF_THE_ROW = {  # when a row was written, or where: the same event may be exported twice
    *("exported", "extracted", "loaded", "inserted", "ingested", "received", "synced", "batch"),
    *("row", "rownum", "offset", "partition", "file", "filename", "collector", "load"),
}


class Money(NamedTuple):
    """How many rows count no more beside one that says the same, and which money they have."""

    rows: int
    column: str
    sums: str


def judge(connection: duckdb.DuckDBPyConnection, table: Table, batch: Batch) -> list[str]:
    """Return what is said of rows in `repeated` that say the same, of which each counts once.

    Raise ExportError if they may be items of which each counts. What nobody reads of them is in `places`.
    """
    contract, export = table.delivery.contract, table.export
    if not export or not (found := money(connection, table)):
        return []
    apart = [name for name in _telling_apart(connection) if not _is_of_the_row(name)]
    hints = apart or [name for name in _unread(connection) if _ITEM & {*words(name)}]
    if _is_asked(contract, export, found.column, apart, hints):
        raise _refusal(connection, table, batch, found, apart, hints)
    one = f"each {_called(contract)} counts once, and {found.sums} of {found.column} not again"
    if apart:
        said = f"the key and the content of another, but for {_listed(apart)}, which is not read"
        return [f"{batch.shown}: {_rows(found)} {said}: {one}"]
    added = (
        f", or have {_listed(list(contract.adds))} added up by grain: sum" if contract.adds else ""
    )
    return [
        f"{batch.shown}: {_rows(found)} the same content as another row: {one}; if they are to count,"
        f" export {_key(contract)} so that it tells them apart{added}"
    ]


def money(connection: duckdb.DuckDBPyConnection, table: Table) -> Money | None:
    """Keep in `paid` the rows that have money; return how much of it counts no more, None if none."""
    columns = table.delivery.contract.columns
    for name in [name for name, column in columns.items() if column.is_money]:
        own = literal(table.client.currency)
        currency = f"COALESCE(currency, {own})" if "currency" in columns else own
        amounts = f"SELECT *, TRY_CAST({name} AS DECIMAL(18, 6)) AS of_money FROM repeated"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE paid AS FROM ({amounts}) WHERE of_money <> 0"
        )
        rows, sums = only_row(
            connection.execute(
                f"""SELECT SUM(rows)::BIGINT, STRING_AGG(FORMAT('{{:.2f}} {{}}', sum::DOUBLE, code), ' and '
                ORDER BY code) FROM (
                  SELECT {currency} AS code, COUNT(*) AS rows, SUM(of_money) AS sum FROM (
                    FROM paid QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal) > 1
                  ) GROUP BY code
                )"""
            )
        )
        if rows:
            return Money(rows, name, sums)
    return None


def _is_asked(
    contract: Contract, export: Export, column: str, apart: list[str], hints: list[str]
) -> bool:
    """Return whether rows of one key may each count: by what tells them apart, and by names.

    The amount of a deal is that of all of it, and so is an order's total, on each of its lines.
    """
    if not hints or not contract.converts:
        return False
    if contract.own_id:  # `event_id: null` says that the export has none
        return bool(apart) and bool(export.names(contract.own_id))
    named = {word for name in export.names(column) for word in words(name)}
    if named & _PRICE:
        return True
    return bool(contract.adds) and not named & _TOTAL


def _refusal(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    batch: Batch,
    found: Money,
    apart: list[str],
    hints: list[str],
) -> ExportError:
    """Return the error that asks whether rows of one key are one, or items of which each counts."""
    contract = table.delivery.contract
    key, one = contract.own_id or contract.identity[0], f"they are one {_called(contract)}"
    (lines,) = only_row(
        connection.execute(
            """SELECT STRING_AGG(place, ' and ' ORDER BY ordinal) FROM (
              FROM paid JOIN places USING (ordinal)
              WHERE row_key = (SELECT ARG_MIN(row_key, ordinal) FROM paid) ORDER BY ordinal LIMIT 2
            )"""
        )
    )
    unread = (
        f"but for {_listed(apart)}, which is not read"
        if apart
        else f"and its column '{hints[0]}' tells of items"
    )
    remedies = [Remedy("grain: newest", meaning=f"{one}, whose {found.column} counts once")]
    if contract.adds:
        items = f"they are items of one {_called(contract)}, of which each counts"
        remedies.insert(0, Remedy("grain: sum", meaning=items))
    if contract.own_id and (name := next((name for name in apart if "id" in words(name)), "")):
        remedies.insert(0, Remedy(f"{key}: {scalar(name)}", "columns", "each counts by itself"))
    content = "content" if contract.own_id else f"{key} and the content"
    return batch.refused(
        f"{_rows(found)} the {content} of another, such as lines {lines}, {unread}: do {found.sums} of"
        f" {found.column} count once more? Say so, or map {key} to what tells them apart",
        remedies=remedies,
    )


def doubled(
    connection: duckdb.DuckDBPyConnection, table: Table, batch: Batch, rows: str
) -> list[str]:
    """Say of rows that are added up that each is there twice or more, as where a file was written twice."""
    content = f"HASH({', '.join(table.columns)})"
    least, distinct, count = only_row(
        connection.execute(
            f"""SELECT MIN(times), COUNT(*), SUM(times) FROM (
              SELECT COUNT(*) AS times FROM read_parquet({literal(rows)})
              WHERE reason IS NULL GROUP BY {content}
            )"""
        )
    )
    if least < 2 or distinct < _SEVERAL:
        return []
    return [
        f"{batch.shown}: each of its {count} rows is there {least} times or more, and all of them are added up:"
        " was it written more than once?"
    ]


def one_of_each(connection: duckdb.DuckDBPyConnection, rows: str, target: str) -> int:
    """Write the rows without those in `repeated` that say once more what one says; return how many."""
    connection.execute(
        f"""COPY (
          FROM read_parquet({literal(rows)}) AS one WHERE ordinal NOT IN (
            SELECT ordinal FROM repeated
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal) > 1
          ) ORDER BY ordinal
        ) TO {literal(target)} (FORMAT parquet)"""
    )
    return only_row(connection.execute("SELECT COUNT(*) - COUNT(DISTINCT row_key) FROM repeated"))[
        0
    ]


def _unread(connection: duckdb.DuckDBPyConnection) -> list[str]:
    (names,) = only_row(connection.execute("SELECT ANY_VALUE(json_keys(unread)) FROM places"))
    return names or []


def _telling_apart(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the columns, which nobody reads, in which rows of one key differ."""
    found = []
    for name in _unread(connection):
        pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
        value = f"json_extract_string(unread, {pointer})"
        query = f"""SELECT 1 FROM paid JOIN places USING (ordinal) GROUP BY row_key
          HAVING COUNT(DISTINCT COALESCE({value}, '')) > 1 LIMIT 1"""
        found += [name] if connection.execute(query).fetchall() else []
    return found


def _is_of_the_row(name: str) -> bool:
    return dates_changes(name) or bool(_OF_THE_ROW & {*words(name)})


def _rows(found: Money) -> str:
    return "1 row has" if found.rows == 1 else f"{found.rows} rows have"


def _called(contract: Contract) -> str:
    """Return what a row is called, by its id: a conversion, an event, an opportunity."""
    ids = contract.own_id or (contract.identity[0] if len(contract.identity) == 1 else "")
    return ids.removesuffix("_id").replace("_", " ") or "row"


def _key(contract: Contract) -> str:
    return contract.own_id or _listed([name for name in contract.identity if name.endswith("_id")])


def _listed(names: list[str]) -> str:
    *others, last = names[:3]
    return f"{', '.join(others)} and {last}" if others else last
