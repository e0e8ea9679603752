"""Doubt a unit that only a column's name says, where its values are not what that unit has.

Millionths are whole, and no amount of any currency is less than a thousand of them.
"""

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.judged_rows import Judged
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch
from pipelines.sources.dressed_numbers import bare
from pipelines.sources.files.asked_units import SURE, remedies, sure_units
from pipelines.sql import only_row

_LEAST = 1_000


def doubt(connection: duckdb.DuckDBPyConnection, judged: Judged) -> None:
    """Raise ExportError if values contradict the unit that the name of their column says."""
    export, contract = judged.feed, judged.contract
    if not isinstance(export, Export):
        return
    for column in sure_units(export, contract):
        number = f"TRY_CAST({bare(column)} AS DOUBLE)"
        is_odd = f"({number} <> TRUNC({number}) OR ({number} <> 0 AND ABS({number}) < {_LEAST}))"
        query = (
            f"SELECT COUNT(*), ANY_VALUE({column}) FROM {judged.delivered} AS rows WHERE {is_odd}"
        )
        rows, example = only_row(connection.execute(query))
        if rows:
            (name,) = export.names(column)
            raise judged.batch.refused(
                f"{column} is read from {name}, which says {SURE}, but '{example}' (one of {rows} such"
                " values) is no amount in them, and nothing else says in which unit it counts",
                remedies(contract, export, {(column, name): SURE}),
            )


def said(contract: Contract, export: Export, batch: Batch) -> list[str]:
    """Say of which columns the unit is that of their name."""
    return [
        f"{batch.shown}: {column} is read in {unit}, as its column is called '{export.names(column)[0]}'"
        for column, unit in sure_units(export, contract).items()
    ]
