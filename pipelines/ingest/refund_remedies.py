"""Offer the setting by which rows below 0 are refunds of the order whose id they have; tell what is no refund."""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.batches import Batch, Remedy
from pipelines.sql import literal, only_row


def as_refunds() -> Remedy:
    """Return the line that says so."""
    taken_off = "which are taken off the revenue of the order whose id they have"
    return Remedy("grain: refunds", meaning=f"rows below 0 are refunds, {taken_off}")


def have_refunds(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Return whether a key of some conversions has rows above and below 0, as an order and its refund."""
    amount = "TRY_CAST(revenue AS DECIMAL(18, 6))"
    query = f"""SELECT 1 FROM {rows} GROUP BY row_key
    HAVING BOOL_OR({amount} < 0) AND BOOL_OR({amount} > 0) LIMIT 1"""
    return bool(connection.execute(query).fetchall())


def refuse_both_signs(
    connection: duckdb.DuckDBPyConnection, contract: Contract, batch: Batch, rows_file: Path
) -> None:
    """Raise ExportError if refunds are above and below 0: which of them give money back, nobody has said."""
    if contract.staged_by != "stg_refunds":
        return
    amount = "TRY_CAST(amount AS DECIMAL(18, 6))"
    rows = f"read_parquet({literal(str(rows_file))}) WHERE reason IS NULL"
    query = f"SELECT COUNT(*) FILTER ({amount} > 0), COUNT(*) FILTER ({amount} < 0) FROM {rows}"
    above, below = only_row(connection.execute(query))
    if above and below:
        raise batch.refused(
            f"{above} of its amounts are above 0 and {below} below: either give money back, not both. Write under"
            " where: which rows are refunds"
        )
