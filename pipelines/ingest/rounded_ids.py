"""Refuse ids that a spreadsheet has rounded: 1.20211E+17 was some id of 18 digits, nobody knows which.

A spreadsheet keeps 15 digits of a number and shows fewer. Programs that keep ids as binary numbers
write all that those hold, 16 or 17 digits, as 1.2021100000000013e+17: that is an id still.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.batches import Batch
from pipelines.sql import literal, only_row

_ROUNDED = "[0-9]([.,][0-9]{0,14})?[eE][+][0-9]+"


def refuse_rounded_ids(
    connection: duckdb.DuckDBPyConnection, contract: Contract, batch: Batch, rows: Path
) -> None:
    """Raise ExportError if a column of ids has one that was rounded; good rows and bad ones count."""
    ids = [name for name in contract.columns if name.endswith("_id")]
    found = ", ".join(
        f"COUNT(CASE WHEN {_is_rounded(name)} THEN 1 END),"
        f" ANY_VALUE(CASE WHEN {_is_rounded(name)} THEN {name} END)"
        for name in ids
    )
    relation = f"read_parquet({literal(str(rows))})"
    counts = only_row(connection.execute(f"SELECT {found} FROM {relation}")) if ids else ()
    rounded = [
        f"{name} of {count} rows, as '{example}'"
        for name, count, example in zip(ids, counts[::2], counts[1::2])
        if count
    ]
    if rounded:
        with batch.open(connection):  # within, so that what was downloaded stays, to be kept
            raise batch.refused(
                f"a spreadsheet has rounded ids: {'; '.join(rounded)}. Their digits are lost: export"
                " it from the platform again, and do not save it with a spreadsheet, or only with"
                " the ids' columns as text"
            )


def _is_rounded(name: str) -> str:
    """Return SQL for whether an id was rounded; few texts have what such a number has."""
    return f"CONTAINS(LOWER({name}), 'e+') AND REGEXP_FULL_MATCH({name}, '{_ROUNDED}')"
