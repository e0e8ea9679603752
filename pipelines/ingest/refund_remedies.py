"""Offer the setting by which rows below 0 are refunds of the order whose id they have."""

import duckdb

from pipelines.sources.batches import Remedy


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
