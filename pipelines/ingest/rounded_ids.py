"""Refuse ids that a spreadsheet has rounded: 1.20211E+17 was some id of 18 digits, nobody knows which.

A spreadsheet keeps 15 digits of a number and shows fewer. Programs that keep ids as binary numbers
write all that those hold, 16 or 17 digits, as 1.2021100000000013e+17: that is an id still.

Where such a number passed through JSON it is 120211000000000000.0. Where the spreadsheet shows all
digits it is 120211000000000000: one id may end so, but not all of a column.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.number_like import number_like
from pipelines.sources.batches import Batch
from pipelines.sql import literal, only_row

_ROUNDED = "[0-9]([.,][0-9]{0,14}[eE][+]?|[eE][+])[0-9]+"
_ROUNDED_IN_JSON = "[1-9][0-9]{0,14}0+[.]0"  # from 17 digits on
_KEPT = 15  # digits of a number
_TOO_MANY = (
    5  # zeros behind those, in all ids of a column: no more than chance in a hundred thousand
)


def refuse_rounded_ids(
    connection: duckdb.DuckDBPyConnection, contract: Contract, batch: Batch, rows: Path
) -> None:
    """Raise ExportError if a column of ids has one that was rounded; good rows and bad ones count."""
    ids = [name for name in contract.columns if name.endswith("_id")]
    ids = number_like(connection, [rows], ids)
    found = ", ".join(f"COUNT({name}), ANY_VALUE({name})" for name in ids)
    relation = f"read_parquet({literal(str(rows))})"
    only_rounded = ", ".join(
        f"CASE WHEN {_is_rounded(name)} THEN {name} END AS {name}" for name in ids
    )
    query = f"SELECT {found} FROM (SELECT {only_rounded} FROM {relation})"
    counts = only_row(connection.execute(query)) if ids else ()
    rounded = [
        f"{name} of {count} rows, as '{example}'"
        for name, count, example in zip(ids, counts[::2], counts[1::2])
        if count
    ]
    rounded = rounded or _zeros(connection, ids, relation)
    if rounded:
        with batch.open(connection):  # within, so that what was downloaded stays, to be kept
            raise batch.refused(
                f"a spreadsheet has rounded ids: {'; '.join(rounded)}. Their digits are lost: export"
                " it from the platform again, and do not save it with a spreadsheet, or only with"
                " the ids' columns as text"
            )


def _is_rounded(name: str) -> str:
    """Return SQL for whether an id was rounded; few texts have what such a number has."""
    is_short = (
        f"SUBSTR({name}, 2, 1) IN ('.', ',', 'e', 'E') AND REGEXP_FULL_MATCH({name}, '{_ROUNDED}')"
    )
    is_long = f"ENDS_WITH({name}, '0.0') AND REGEXP_FULL_MATCH({name}, '{_ROUNDED_IN_JSON}')"
    return f"({name} < ':' AND (({is_short}) OR (STRLEN({name}) >= 19 AND {is_long})))"


def _zeros(connection: duckdb.DuckDBPyConnection, ids: list[str], relation: str) -> list[str]:
    """Return what is to be said of the columns whose long ids all end in zeros."""
    found = []
    for name in ids:
        is_long = f"({name} < ':' AND STRLEN({name}) BETWEEN {_KEPT + 1} AND 22)"
        has_zeros = f"TRIM(SUBSTR({name}, {_KEPT + 1}), '0') = ''"
        exact = f"SELECT 1 FROM {relation} WHERE {is_long} AND NOT {has_zeros} LIMIT 1"
        if connection.execute(exact).fetchall():
            continue
        zeros, count, example = only_row(
            connection.execute(
                f"""SELECT SUM(LENGTH(id) - {_KEPT}), SUM(rows), MIN(id) FROM (
                  SELECT {name} AS id, COUNT(*) AS rows FROM {relation}
                  WHERE {is_long} AND REGEXP_FULL_MATCH({name}, '[1-9][0-9]+') GROUP BY id
                )"""
            )
        )
        if (zeros or 0) >= _TOO_MANY:
            found.append(f"{name} of {count} rows, as '{example}'")
    return found
