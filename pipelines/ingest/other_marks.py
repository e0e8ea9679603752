"""Say how amounts are read beside which the mark of another currency stands, where nothing else says a currency."""

import duckdb

from pipelines.ingest.judged_rows import Judged
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import Remedy
from pipelines.sources.currency_marks import currencies_of_mark
from pipelines.sources.dressed_numbers import mark_of
from pipelines.sources.numbers import is_in_another_currency
from pipelines.sql import only_row

_NAMED = 2  # currencies that a mark may mean


def remedies(connection: duckdb.DuckDBPyConnection, judged: Judged) -> list[Remedy]:
    """Return the lines that say in which currency a batch is, as the marks beside its amounts do."""
    contract, reading, export = judged.contract, judged.reading, judged.feed
    if not isinstance(export, Export) or export.in_currency or "currency" not in contract.columns:
        return []
    (total,) = only_row(connection.execute(f"SELECT COUNT(*) FROM {judged.rows} AS judged"))
    marks: dict[str, int] = {}
    for name, column in contract.columns.items():
        if column.is_money and reading.undresses(column, name):
            delivered = f"delivered_{name}"
            is_other = is_in_another_currency(delivered, contract, reading)
            bad = f"{judged.bad} AS bad WHERE {is_other}"
            query = f"SELECT {mark_of(delivered)}, COUNT(*) FROM {bad} GROUP BY 1"
            marks |= dict(connection.execute(query).fetchall())
    if len(marks) != 1:
        return []
    ((mark, rows),) = marks.items()
    if 2 * rows <= total:  # the others are in the row's currency
        return []
    return [all_in(code, judged.client) for code in currencies_of_mark(mark)[:_NAMED]]


def all_in(code: str, client: Client) -> Remedy:
    """Return the line that says that all of an export is in one currency."""
    needs = "" if client.sources.rates else ", and a file of rates says what it is worth"
    is_own = code == client.currency
    meaning = f"it is {code} all the same" if is_own else f"all of it is {code}{needs}"
    return Remedy(f"in_currency: {code}", meaning=meaning)
