"""Ask about conversions of which a column that nobody reads says that money was given back.

`Refunded Amount` beside an order's total may mean that the total counts too much. Nothing subtracts
it; so an export with such values is refused until its `where:` is there. Where `where:` is there and
does not name the column, it is said.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.uncounting import condition_of, counted_values, keep_texts
from pipelines.settings.column_expressions import is_expression
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Remedy
from pipelines.sources.files.status_names import says_refund
from pipelines.sources.numbers import PLAIN, as_double
from pipelines.sources.yaml_texts import condition, scalar
from pipelines.sql import identifier, only_row

_GIVEN_BACK = ".*[1-9].*|true|t|yes|y|ja|wahr|x"  # an amount, a day, an id of a refund, or a flag


def ask_about_refunds(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    export: Export,
    batch: Batch,
    rows_file: Path,
    unread: Mapping[str, str],
    ordinals_used: int,
) -> list[str]:
    """Return what is to be said of refunds that no column reads, where the client chose by `where:`.

    Raise ExportError if there are refunds, and it did not.
    """
    names = sorted(filter(says_refund, unread))
    if not names:
        return []
    keep_texts(connection, contract, batch, rows_file, names, ordinals_used)
    for name in names:
        found = connection.execute(counted_values(name, _GIVEN_BACK)).fetchall()
        rows = sum(count for _, count, is_refund in found if is_refund)
        if not rows:
            continue
        examples = [f"'{value[:40]}'" for value, _, is_refund in found if is_refund][:3]
        said = (
            f"of {rows} of its {sum(count for _, count, _ in found)} rows the column '{name}', which"
            f" is not read, may say that money was given back ({', '.join(examples)})"
        )
        net = "where the export has what is left, read `revenue` from that column"
        if not export.where:
            condition_text = condition(_without(connection, export, name, found))
            raise batch.refused(
                f"{said}; nothing subtracts it: {net}. Say which rows count",
                [
                    Remedy(f"where: {condition_text}", meaning="those rows do not count at all"),
                    Remedy("where: true", meaning="all rows count in full"),
                    *_net_of(contract, export, name, found),
                ],
            )
        if export.where.strip().lower() != "true":
            return [f"{batch.shown}: {said}; they count in full: {net}"]
    return []


def _without(
    connection: duckdb.DuckDBPyConnection, export: Export, name: str, found: list[tuple]
) -> str:
    """Return the condition for the rows without a refund: an amount of nothing, or nothing at all."""
    number = as_double(identifier(name), export.numbers or PLAIN)
    (are_numbers,) = only_row(
        connection.execute(
            f"SELECT BOOL_AND(({number}) IS NOT NULL) FROM statuses"
            f" WHERE {identifier(name)} IS NOT NULL"
        )
    )
    if are_numbers:
        return f"({identifier(name)} = 0 OR {identifier(name)} IS NULL)"
    return condition_of(name, found)


def _net_of(contract: Contract, export: Export, name: str, found: list[tuple]) -> list[Remedy]:
    """Return the line by which the amount is taken off; none of what is no amount above 0."""
    column = next((each for each in contract.columns if contract.columns[each].is_money), "")
    names = export.names(column)
    are_amounts = all(re.fullmatch("[0-9][0-9., ]*", value) for value, _, _ in found if value)
    if len(names) != 1 or is_expression(names[0]) or not are_amounts:
        return []
    net = f"{identifier(names[0])} - COALESCE({identifier(name)}, 0)"
    columns = {
        each: list(its) if its[1:] else (its or [None])[0] for each, its in export.columns.items()
    }
    written = ", ".join(
        f"{each}: {_scalars(its)}" for each, its in (columns | {column: net}).items()
    )
    return [Remedy(f"columns: {{{written}}}", meaning="it is taken off")]


def _scalars(written: str | list[str] | None) -> str:
    if written is None:
        return "null"
    return scalar(written) if isinstance(written, str) else f"[{', '.join(map(scalar, written))}]"
