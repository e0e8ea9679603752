"""Make the tables of what each source delivers from the contracts."""

from docs.generator.markdown import table
from pipelines.contracts.catalog import tables
from pipelines.contracts.contract import Column, Contract


def columns() -> str:
    """Return a table for each table of each source."""
    names: dict[int, list[str]] = {}
    for source, name, contract in tables():
        names.setdefault(id(contract), []).append(f"{source}.{name}")
    contracts = {id(contract): contract for _, _, contract in tables()}
    return "\n\n".join(_section(named, contracts[key]) for key, named in names.items())


def _section(names: list[str], contract: Contract) -> str:
    """Return the columns of a contract, below the names of all tables that have it."""
    key = ", ".join(f"`{column}`" for column in contract.identity)
    if contract.own_id:
        key = f"`{contract.own_id}`; of a row without it, {key}"
    bad = "".join(f" A row is bad if {reason}." for reason in contract.bad_if)
    rows = [
        (f"`{column}`", _need(each), each.type, each.unit, each.meaning)
        for column, each in contract.columns.items()
    ]
    headings = "\n\n".join(f"### `{name}`" for name in names)
    return (
        f"{headings}\n\nKey: {key}.{bad}\n\n"
        f"{table(('column', 'needed', 'type', 'unit', 'meaning'), rows)}"
    )


def _need(column: Column) -> str:
    if column.required:
        return "value"
    return "no" if column.optional else "column"
