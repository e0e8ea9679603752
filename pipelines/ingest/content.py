"""Say what a row says, to compare it with another: `1.0` and `1.00` are one number, texts stay exact."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pipelines.contracts.contract import SQL_TYPES, Contract


def content(contract: Contract, columns: Iterable[str]) -> str:
    """Return SQL for a hash of what good rows say in some columns, and of whether they are deleted."""
    values = [compared(contract, name) for name in columns]
    return f"HASH({', '.join(['is_deleted', *values])})"


def compared(contract: Contract, name: str) -> str:
    """Return SQL for a value as it is compared: a number as staging casts it."""
    column = contract.columns[name]
    return f"TRY_CAST({name} AS {SQL_TYPES[column.type]})" if column.is_number else name


def meant(contract: Contract, name: str, value: str | None) -> Any:
    """Return the same of one good row's value."""
    return Decimal(value) if value and contract.columns[name].is_number else value
