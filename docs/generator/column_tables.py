"""Make the tables of what each source delivers from the contracts."""

from docs.generator.markdown import table
from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Column, Contract


def columns() -> str:
    """Return a table for each table of each source."""
    return "\n\n".join(
        _section(f"{source}.{name}", contract)
        for source, tables in CONTRACTS.items()
        for name, contract in tables.items()
    )


def _section(name: str, contract: Contract) -> str:
    key = ", ".join(f"`{column}`" for column in contract.identity)
    if contract.own_id:
        key = f"`{contract.own_id}`; of a row without it, {key}"
    bad = "".join(f" A row is bad if {reason}." for reason in contract.bad_if)
    rows = [
        (f"`{column}`", _need(each), each.type, each.unit, each.meaning)
        for column, each in contract.columns.items()
    ]
    return (
        f"### `{name}`\n\nKey: {key}.{bad}\n\n"
        f"{table(('column', 'needed', 'type', 'unit', 'meaning'), rows)}"
    )


def _need(column: Column) -> str:
    if column.required:
        return "value"
    return "no" if column.optional else "column"
