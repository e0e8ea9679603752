"""Find in which unit an amount or a count is, by the name of its column; ask where that is not sure.

Google writes `cost_micros` where it means millionths, and nobody else does. `Amount (cents)` may be the name of a
column of whole euros, too.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from pipelines.contracts.contract import Column, Contract
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.name_units import unit_of

SURE = "micros"
_AT_ITS_END = re.compile(r"(?:^|[_.\W]|[a-z](?=M))micros?$", re.IGNORECASE)

Asked = Mapping[
    tuple[str, str], str
]  # by a column of ours and its name in the export, the unit that it says


def sure_units(export: Export, contract: Contract) -> dict[str, str]:
    """Return the unit of each column of money that its name makes sure: of `metrics_cost_micros`, micros."""
    return {
        column: SURE
        for column, each in contract.columns.items()
        if each.is_money and column not in export.unit and len(export.names(column)) == 1
        if all(unit_of(name) == SURE and _AT_ITS_END.search(name) for name in export.names(column))
    }


def ask_for_units(
    refused: Callable[..., ExportError], contract: Contract, export: Export, columns: Iterable[str]
) -> None:
    """Raise ExportError if an amount, or a count, is read from a column that is called after another unit."""
    sure = sure_units(export, contract)
    asked = {
        (column, name): unit
        for column in columns
        if column not in export.unit and column not in sure
        for name in export.names(column)
        if (unit := _unit(contract.columns[column], name)) is not None
    }
    if asked:
        said = "; ".join(f"{column} is read from {name}" for column, name in asked)
        if not all(asked.values()):
            said += ", which no setting reads: export whole units"
        reason = f"{said}, but nothing says in which unit it counts"
        raise refused(reason, remedies=remedies(contract, export, asked))


def remedies(contract: Contract, export: Export, asked: Asked) -> list[Remedy]:
    """Return the lines that say in which unit columns count: the one that their names say, or whole units."""
    named = export.unit | {column: unit for (column, _), unit in asked.items()}
    units = ", ".join(f"{column}: {unit}" for column, unit in named.items())
    whole = export.unit | {column: "units" for column, _ in asked}
    wholes = ", ".join(f"{column}: {unit}" for column, unit in whole.items())
    is_money = any(contract.columns[column].is_money for column, _ in asked)
    meaning = "it is whole units of the currency" if is_money else "it counts one by one"
    found = [Remedy(f"unit: {{{wholes}}}", meaning=meaning)]
    if all(asked.values()):
        meaning = "it counts what its name says"
        found = [Remedy(f"unit: {{{units}}}", meaning=meaning), *found]
    return found


def _unit(column: Column, name: str) -> str | None:
    """Return the unit that a name says for a column: of counts, none but thousands or millions."""
    unit = unit_of(name)
    if column.is_money:
        return unit
    is_count = column.type == "integer" and unit in ("thousands", "millions")
    return unit if is_count else None
