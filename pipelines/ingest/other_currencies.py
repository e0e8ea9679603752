"""Ask about money whose currency nobody reads, where the export says that it is not the client's.

A column such as `Currency Code` may say so, or the name of the money's own, as `Amount spent (USD)`.
Who writes `in_currency:` says what it is in. Who writes `currency: null` under `columns:` says that it is the
client's; then it is told only.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.other_marks import all_in
from pipelines.ingest.uncounting import counted_values, keep_texts
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Remedy, Rows
from pipelines.sources.files.name_currencies import currencies_of
from pipelines.sources.files.status_names import says_currency
from pipelines.sources.yaml_texts import scalar

_SHOWN = 3
_NAMED = 2  # currencies that a name may mean


def ask_about_currency(
    connection: duckdb.DuckDBPyConnection,
    client: Client,
    contract: Contract,
    export: Export,
    batch: Batch,
    rows: Rows,
    rows_file: Path,
    ordinals_used: int,
) -> list[str]:
    """Return what is to be said of money in another currency, which the client's file calls its own.

    Raise ExportError if the client's file does not say what its currency is.
    """
    if "currency" not in contract.columns or "currency" in rows.columns or export.format:
        return []
    found, codes = _by_name(client, contract, export)
    remedies = [all_in(code, client) for code in [*codes, client.currency]]
    if not found:
        names = sorted(filter(says_currency, rows.unread))
        found, name = _by_value(
            connection, client, contract, batch, rows_file, names, ordinals_used
        )
        own = f"it is {client.currency} all the same"
        remedies = [
            Remedy(
                f"currency: {scalar(name)}", below="columns", meaning=f"{name} says what it is in"
            ),
            Remedy("currency: null", below="columns", meaning=own),
        ]
    if not found:
        return []
    if "currency" in export.columns:
        return [
            f"{batch.shown}: {found}; it counts as {client.currency}, as the client's file says"
        ]
    raise batch.refused(
        f"{found}, and the client has {client.currency}. Export it in {client.currency}, or with a"
        " column of its currency",
        remedies,
    )


def _by_name(client: Client, contract: Contract, export: Export) -> tuple[str, list[str]]:
    """Return what the name of a column of money says of its currency, if it is another; and which it may be."""
    for column, kind in contract.columns.items():
        for name in export.names(column) if kind.is_money else ():
            told = currencies_of(name)
            if told and client.currency not in told:
                said = f"{column} is read from '{name}', by whose name it is in another currency"
                return said, sorted(told, key=lambda code: (code != "USD", code))[:_NAMED]
    return "", []


def _by_value(
    connection: duckdb.DuckDBPyConnection,
    client: Client,
    contract: Contract,
    batch: Batch,
    rows_file: Path,
    names: list[str],
    ordinals_used: int,
) -> tuple[str, str]:
    """Return what a column that is not read says of the currency, if it is another; and its name."""
    if names:
        keep_texts(connection, contract, batch, rows_file, names, ordinals_used)
    for name in names:
        values = connection.execute(counted_values(name, "[a-z]{3}")).fetchall()
        others = [
            (value, count)
            for value, count, is_code in values
            if is_code and value.upper() != client.currency
        ]
        if others:
            rows, total = sum(count for _, count in others), sum(count for _, count, _ in values)
            said = ", ".join(f"'{value}'" for value, _ in others[:_SHOWN])
            return (
                f"by its column '{name}', which is not read, {rows} of its {total} rows are in {said}",
                name,
            )
    return "", ""
