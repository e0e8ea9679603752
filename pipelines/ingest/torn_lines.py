"""Keep the rows that a torn line of a full export may hide, and say so.

A full export deletes what it lacks; a row whose line could not be read is not lacking. A line hides
those known rows of whose key it holds a value: the footer of a report, `Confidential Information`,
holds none and hides nothing. A line may hold any key if it was cut by the end of its file, before its
key perhaps, or if its text is not what was delivered, as with bytes that are no UTF-8.
"""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.contracts.salesforce_ids import whole_id
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch, Rows
from pipelines.sources.files.numbered_copy import CUT
from pipelines.sql import BLANKS, literal

_CUT = 1 << 20  # bytes at the end of a file in which its last line begins
_WHOLE = 10_000  # letters, from which on the text of a line may be cut


class TornLines:
    """The lines of a full export that are no rows: it looks at each file while it is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("CREATE OR REPLACE TABLE cut_lines (export_file TEXT, content TEXT)")

    def watching(self, batch: Batch) -> Batch:
        """Return a batch of which the last line is looked at while it is open."""

        @contextmanager
        def opened(connection: duckdb.DuckDBPyConnection) -> Iterator[Rows]:
            with batch.open(connection) as rows:
                yield rows
                if batch.path and (cut := _cut_line(batch.path)):
                    connection.execute("INSERT INTO cut_lines VALUES (?, ?)", [batch.name, cut])

        return batch._replace(open=opened)

    def keep(self, table: Table) -> list[str]:
        """Take out of `deleted` what a line in `rejects` may hide; return what is to be said."""
        if not self._connection.execute("FROM rejects LIMIT 1").fetchall():
            return []
        self._connection.execute(_TORN)
        hiding = self._hiding_all() or self._hiding_some(table)
        if not hiding:
            return []
        export_file, line, kept = hiding
        text = f"{Path(export_file).name}: line {line} is torn and may hold"
        (left,) = self._connection.execute("SELECT COUNT(*) FROM deleted").fetchone() or (0,)
        if not left:
            return [f"nothing was deleted: {text} any key ({kept} rows are kept)"]
        return [f"{kept} rows were not deleted: {text} their keys"]

    def _hiding_all(self) -> tuple[str, int, int] | None:
        """Keep every row if a line may hold any key; return that line, and how many rows are kept."""
        found = self._connection.execute(
            "SELECT export_file, line FROM torn WHERE may_hold_any ORDER BY ALL LIMIT 1"
        ).fetchone()
        kept = self._connection.execute("SELECT COUNT(*) FROM deleted").fetchone()
        if not found or not kept or not kept[0]:
            return None
        self._connection.execute("DELETE FROM deleted")
        return *found, kept[0]

    def _hiding_some(self, table: Table) -> tuple[str, int, int] | None:
        """Keep the rows of whose keys a line holds a value; return such a line, and their number."""
        identity = [name for name in table.delivery.contract.identifying if name in table.columns]
        values = " UNION ALL ".join(
            f"SELECT row_key, {_parts(name)}[1] AS value FROM deleted WHERE {name} IS NOT NULL"
            for name in identity
        )
        self._connection.execute(
            _HIDDEN.format(values=values, value=whole_id("value"), token=whole_id("token"))
        )
        hidden = self._connection.execute(
            "SELECT export_file, line, (SELECT COUNT(DISTINCT row_key) FROM hidden) FROM hidden"
            " ORDER BY ALL LIMIT 1"
        ).fetchone()
        self._connection.execute(
            "DELETE FROM deleted WHERE row_key IN (SELECT row_key FROM hidden)"
        )
        return hidden


def _cut_line(path: Path) -> str:
    """Return the last line of a file if nothing ends it; nothing if the file is whole, or gone."""
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as file:
                tail = b""
                while part := file.read(_CUT):
                    tail = (tail + part)[-_CUT:]
        else:
            with path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _CUT))
                tail = file.read()
    except OSError:
        return ""
    return tail.splitlines()[-1].decode(errors="replace") if tail[-1:] not in b"\r\n" else ""


def _parts(value: str) -> str:
    """Return SQL for the parts of a text between the marks of CSV and JSON, without blanks."""
    marks = literal('[,;\\t|"\\n\\r{}\\[\\]]+')
    trimmed = f"TRIM(part, {literal(BLANKS + ':')})"
    return (
        f"LIST_FILTER(LIST_TRANSFORM(REGEXP_SPLIT_TO_ARRAY({value}, {marks}), part -> {trimmed}),"
        " part -> part <> '')"
    )


_TORN = f"""
CREATE TABLE torn AS SELECT
  export_file, line, {_parts("rejects.content")} AS parts,
  rejects.content IS NULL OR LENGTH(rejects.content) >= {_WHOLE}
  OR CONTAINS(RIGHT(rejects.content, 100), '{CUT}')
  OR CONTAINS(rejects.content, CHR(65533)) OR CONTAINS(rejects.content, CHR(92))
  OR EXISTS (
    FROM cut_lines WHERE cut_lines.export_file = rejects.export_file
    AND ENDS_WITH(TRIM(rejects.content, {literal(BLANKS)}), TRIM(cut_lines.content, {literal(BLANKS)}))
  ) AS may_hold_any
FROM rejects
"""

# A value that a line holds, or of which it holds the beginning, at its end.
_HIDDEN = """
CREATE TABLE key_values AS SELECT DISTINCT row_key, {value} AS value FROM ({values});
CREATE TABLE tokens AS SELECT DISTINCT export_file, line, {token} AS token, is_last FROM (
  SELECT export_file, line, UNNEST(parts) AS token, FALSE AS is_last FROM torn
  UNION ALL SELECT export_file, line, parts[LEN(parts)], TRUE FROM torn WHERE LEN(parts) > 0
);
CREATE TABLE hidden AS
SELECT row_key, export_file, line FROM key_values JOIN tokens ON value = token AND NOT is_last
UNION
SELECT row_key, export_file, line
FROM key_values
JOIN (SELECT DISTINCT LENGTH(token) AS size FROM tokens WHERE is_last) AS sizes
  ON LENGTH(value) > size
JOIN tokens ON is_last AND token = LEFT(value, size)
"""
