"""Say what becomes of rows that an export's `where:` leaves out.

They are counted, and not loaded. In an increment one may be the newest version of a row that counted
before, a payment that was refunded since: then that row is deleted, as a full export deletes it.
"""

import re
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.yaml_texts import condition
from pipelines.sql import literal, only_row


class Uncounted(NamedTuple):
    """The rows of one batch that do not count: their file, if there are any, and how many are of how many."""

    batch: Batch
    place: int
    rows: Path | None
    left_out: int
    of: int

    @property
    def said(self) -> str:
        """Return what is to be said of them."""
        return f"{self.batch.shown}: {self.left_out} of {self.of} rows left out by `where:`"


def refuse_if_none_counts(
    connection: duckdb.DuckDBPyConnection, table: Table, found: list[Uncounted], is_reread: bool
) -> None:
    """Raise ExportError if `where:` leaves out every row, where that is hardly meant.

    A small delivery of what is new may well have none that counts.
    """
    left_out, total = sum(each.left_out for each in found), sum(each.of for each in found)
    is_whole = not table.is_stored or table.delivery.mode == "full" or is_reread
    if left_out and left_out == total and is_whole and table.export and table.export.where:
        if table.delivery.contract.happens_rarely:  # most days may have none
            return
        raise _refusal(connection, table.export.where, found[-1].batch, total)


def _refusal(
    connection: duckdb.DuckDBPyConnection, where: str, batch: Batch, total: int
) -> ExportError:
    """Return the error for a condition that no row meets: with what is compared, and the lines that some meet."""
    meant, said = where, list[str]()
    with batch.open(connection) as rows:
        for name, value in sorted(rows.compared.items()):
            written = [
                text
                for (text,) in connection.execute(_WRITTEN.format(value, rows.relation)).fetchall()
            ]
            said.append(f"{name} is {', '.join(map(_quoted, written)) or 'empty'}")
            meant = _as_written(meant, written)
    values = f": {'; '.join(said)}" if said else ""
    remedies = [Remedy("where: true", meaning="all rows count")]
    if meant != where:
        remedies.insert(0, Remedy(f"where: {condition(meant)}", meaning="that is what is compared"))
    return batch.refused(
        f"`where: {where}` leaves out all of its {total} rows{values}. Texts are compared as they are written,"
        " capitals too",
        remedies,
    )


_SHOWN = 5  # values of a column
_WRITTEN = f"""SELECT LEFT(TRIM(({{}})::TEXT), 100) AS value FROM {{}} WHERE value <> ''
GROUP BY value ORDER BY COUNT(*) DESC, value LIMIT {_SHOWN}"""


def _quoted(text: str) -> str:
    return f"'{text[:40]}{'…' * (len(text) > 40)}'"


def _as_written(where: str, written: list[str]) -> str:
    """Return a condition whose texts are written as the export writes them, capitals and blanks."""
    plain = {_plain(text): text for text in reversed(written)}
    return re.sub(
        "'((?:[^']|'')*)'",
        lambda text: literal(
            plain.get(_plain(text[1].replace("''", "'")), text[1].replace("''", "'"))
        ),
        where,
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def deleted_by_them(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    found: list[Uncounted],
    delivered: list[Path],
    target: Path,
) -> list[Path]:
    """Write the rows that counted before and do so no more, marked as deleted; return their file.

    Of a key that several rows of one file have, one that counts is enough.
    """
    uncounted = [each for each in found if each.rows]
    if not uncounted or table.delivery.mode == "full":
        return []
    of_key = table.delivery.contract.identifying
    values = ", ".join(
        f"IF(reason IS NULL, {name}, NULL) AS {name}"
        for name in table.columns
        if name not in of_key
    )
    replaced = ", ".join(filter(None, ["TRUE AS is_deleted", "NULL::TEXT AS reason", values]))
    left_out = " UNION ALL ".join(
        f"SELECT {each.place} AS place, * FROM read_parquet({literal(str(each.rows))})"
        for each in uncounted
    )
    counted = " UNION ALL ".join(
        f"SELECT {place} AS place, row_key FROM read_parquet({literal(str(file))}) WHERE reason IS NULL"
        for place, file in enumerate(delivered)
    )
    alive = "SELECT NULL::TEXT AS row_key WHERE FALSE"
    if table.is_stored:
        alive = f"""SELECT row_key FROM {table.stored} AS log GROUP BY row_key
          HAVING NOT ARG_MAX(is_deleted, (loaded_at, ordinal))"""
    query = f"""
      SELECT newest.* EXCLUDE place REPLACE ({replaced}) FROM (
        FROM ({left_out}) WHERE row_key IS NOT NULL
        QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal DESC) = 1
      ) AS newest
      LEFT JOIN (SELECT row_key, MAX(place) AS place FROM ({counted}) GROUP BY row_key) AS counted
        ON newest.row_key = counted.row_key
      WHERE counted.place < newest.place
      OR counted.place IS NULL AND newest.row_key IN ({alive})"""
    connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)")
    (count,) = only_row(connection.execute("SELECT COUNT(*) FROM read_parquet(?)", [str(target)]))
    if not count:
        return []
    connection.execute(
        """UPDATE batches SET rows_left_out = rows_left_out - (
          SELECT COUNT(*) FROM read_parquet(?) AS gone WHERE gone.export_file = batches.export_file
        )""",
        [str(target)],
    )
    return [target]
