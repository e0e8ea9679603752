"""Refuse ids that have decimals here and none there: 12 and 12.0 are one campaign, and would be two keys.

A program that keeps a column with gaps as binary numbers, as pandas does, writes 12 as 12.0. A day
that such a file restates would count twice. Where all ids of a table are written so they are only
named: other exports may write 12.
"""

import duckdb

from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch
from pipelines.sql import only_row

_AS_DECIMAL = "[0-9]+[.]0"


def refuse_decimal_ids(
    connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch]
) -> list[str]:
    """Raise ExportError if a column has an id in both forms; return what is to be said of decimals alone.

    What is delivered is compared with itself and with what was loaded before.
    """
    notes = []
    for name in _with_decimals(connection, table):
        rows, example, file = only_row(
            connection.execute(
                f"SELECT COUNT(*), MIN({name}), MAX(export_file) FROM delivered WHERE {_is_decimal(name)}"
            )
        )
        batch = next(each for each in batches if each.name == file)
        said = f"{name} of {rows} {'row' if rows == 1 else 'rows'} is a number with decimals"
        export_it = "export it as text, or as whole numbers"
        if found := _twin(connection, table, name):
            raise batch.refused(
                f"{said}, as '{found}.0', which is '{found}' elsewhere: they would be two; {export_it}"
            )
        notes.append(
            f"{batch.shown}: {said}, as '{example}': where another export writes '{example[:-2]}',"
            f" they are two; {export_it}"
        )
    return notes


def _with_decimals(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Return the columns of ids of which a delivered one has decimals."""
    ids = [name for name in table.delivery.contract.columns if name.endswith("_id")]
    if not ids:
        return []
    seen = ", ".join(f"COALESCE(BOOL_OR({_is_decimal(name)}), FALSE)" for name in ids)
    found = only_row(connection.execute(f"SELECT {seen} FROM delivered"))
    return [name for name, is_seen in zip(ids, found) if is_seen]


def _twin(connection: duckdb.DuckDBPyConnection, table: Table, name: str) -> str | None:
    """Return an id that was delivered with decimals, and without them now or before; None if there is none."""
    whole = f"SELECT {name} AS id FROM delivered"
    if table.is_stored and name in table.columns:
        whole += f" UNION ALL SELECT {name} FROM {table.stored} AS log WHERE {name} IS NOT NULL"
    query = f"""SELECT MIN(id) FROM ({whole}) WHERE id IN (
      SELECT LEFT({name}, LENGTH({name}) - 2) FROM delivered WHERE {_is_decimal(name)}
    )"""
    return only_row(connection.execute(query))[0]


def _is_decimal(name: str) -> str:
    return f"(ENDS_WITH({name}, '.0') AND REGEXP_FULL_MATCH({name}, '{_AS_DECIMAL}'))"
