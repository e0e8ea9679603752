"""Take what is new from a table's exports: all set-based, in DuckDB.

A row is bad (quarantine, with the reason), unchanged (its key's newest version says the same),
or appended. A full export also deletes: a key that it lacks gets a row marked `is_deleted`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from pipelines.clients import Client, Export
from pipelines.committed import committed_files
from pipelines.contracts import CONTRACTS, Contract
from pipelines.home import home
from pipelines.judge import judge
from pipelines.lake import source_folder, working_folder
from pipelines.sources.files import ExportError, fingerprint, shown


class Table(NamedTuple):
    """One table of a client: how it is exported, and the loads that the lake has of its source."""

    client: Client
    source: str
    name: str
    export: Export
    loads: dict[str, datetime]

    @property
    def contract(self) -> Contract:
        """Return what an export must deliver."""
        return CONTRACTS[self.source][self.name]

    def in_lake(self, table: str = "") -> list[str]:
        """Return the table's files in the lake, or those of another table of its source."""
        folder = source_folder(self.client.id, self.source)
        return committed_files(str(folder), table or self.name, self.loads)


class Counts(NamedTuple):
    """What became of the rows that were read; a full export also deletes rows it lacks."""

    read: int = 0
    appended: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(self, other)))


class Delivery(NamedTuple):
    """One table's new rows, bad rows and accounts, as Arrow readers; the accounts in sum."""

    rows: pa.RecordBatchReader
    quarantine: pa.RecordBatchReader
    exports: pa.RecordBatchReader
    counts: Counts


def new_files(table: Table) -> dict[Path, str]:
    """Return the files to read, with their fingerprints: those whose content was never loaded.

    Of a full export, that is all of them if one is new. Raise ExportError if there is no file.
    """
    found = {path: fingerprint(path) for path in sorted(home().glob(table.export.files))}
    if not found:
        raise ExportError(f"no file matches {table.export.files}; deliver it, or correct `files:`")
    known = _loaded_files(table)
    fresh = {path: content for path, content in found.items() if known.get(shown(path)) != content}
    return found if fresh and table.export.delivery == "full" else fresh


@contextmanager
def take(table: Table, files: dict[Path, str]) -> Iterator[Delivery]:
    """Yield what the files bring. Raise ExportError if one of them is refused as a whole."""
    with ExitStack() as opened_here:
        connection = opened_here.enter_context(duckdb.connect(config=_settings(table)))
        connection.execute("SET TimeZone = 'UTC'")
        judge(connection, table.contract, table.client, table.export, files)
        _compare(connection, table)
        _delete(connection, table)
        connection.execute(_ACCOUNTS, {"table": table.name, "delivery": table.export.delivery})
        names = {"table": table.name, "columns": ", ".join(table.contract.columns)}
        readers = [
            opened_here.enter_context(
                connection.cursor().execute(query.format(**names)).to_arrow_reader(100_000)
            )
            for query in (_APPENDED, _QUARANTINE, "FROM accounts")
        ]
        yield Delivery(*readers, Counts(*connection.execute(_COUNTS).fetchone()))


def _settings(table: Table) -> dict[str, str | bool]:
    """Return DuckDB's settings: every client has a process, so what is large goes to disk."""
    spill = working_folder(table.client.id) / f"{table.source}.{table.name}.spill"
    return {
        "memory_limit": "1GB",
        "temp_directory": str(spill),
        "python_enable_replacements": False,
    }


def _loaded_files(table: Table) -> dict[str, str]:
    """Return the fingerprint under which each file's newest content was loaded."""
    ledger = table.in_lake("exports")
    if not ledger:
        return {}
    with duckdb.connect() as connection:
        rows = connection.execute(
            """SELECT export_file, ARG_MAX(fingerprint, _dlt_load_id::DOUBLE)
            FROM read_parquet($ledger) WHERE table_name = $table GROUP BY export_file""",
            {"ledger": ledger, "table": table.name},
        ).fetchall()
    return dict(rows)


def _compare(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill `known`, the newest version of each key in the lake, as far as it matters here.

    And `compared`: whether each good row says what the version of its key before it says.
    """
    connection.execute(
        """CREATE TABLE loads (load_id TEXT, loaded_at TIMESTAMP);
        CREATE TABLE known (row_key TEXT, row_hash TEXT)"""
    )
    if files := table.in_lake():
        connection.executemany("INSERT INTO loads VALUES (?, ?)", list(table.loads.items()))
        full = table.export.delivery == "full"
        connection.execute(
            f"""INSERT INTO known SELECT row_key, ARG_MAX(row_hash, (loaded_at, ordinal))
            FROM read_parquet($files) AS raw JOIN loads ON raw._dlt_load_id = loads.load_id
            {"" if full else "WHERE row_key IN (SELECT row_key FROM judged)"} GROUP BY row_key""",
            {"files": files},
        )
    connection.execute(
        """CREATE TABLE compared AS
        SELECT judged.ordinal, judged.row_hash IS NOT DISTINCT FROM COALESCE(
            LAG(judged.row_hash) OVER (PARTITION BY judged.row_key ORDER BY judged.ordinal),
            known.row_hash
          ) AS is_unchanged
        FROM judged LEFT JOIN known USING (row_key) WHERE judged.reason IS NULL"""
    )


def _delete(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill `deleted`: what a full export lacks. A torn line may hold any key: then it is nothing."""
    texts = ", ".join(f"{name} TEXT" for name in table.contract.columns)
    connection.execute(
        f"""CREATE TABLE missing (row_key TEXT);
        CREATE TABLE deleted (row_key TEXT, export_file TEXT, {texts})"""
    )
    if table.export.delivery == "full":
        connection.execute(
            """INSERT INTO missing SELECT row_key FROM known ANTI JOIN judged USING (row_key)
            WHERE row_hash <> 'deleted' AND NOT EXISTS (FROM judged WHERE torn IS NOT NULL)"""
        )
    if connection.execute("FROM missing LIMIT 1").fetchall():
        names = ", ".join(table.contract.columns)
        connection.execute(
            f"""INSERT INTO deleted SELECT row_key, (SELECT MAX(export_file) FROM files), {names}
            FROM read_parquet($files) AS raw JOIN loads ON raw._dlt_load_id = loads.load_id
            WHERE row_key IN (FROM missing)
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
            """,
            {"files": table.in_lake()},
        )


_APPENDED = """
SELECT ordinal, row_key, row_hash, FALSE AS is_deleted, export_file, {columns}
FROM judged SEMI JOIN (FROM compared WHERE NOT is_unchanged) USING (ordinal)
UNION ALL SELECT 0, row_key, 'deleted', TRUE, export_file, {columns} FROM deleted
"""

_QUARANTINE = """
SELECT
  '{table}' AS table_name, export_file, line, reason,
  COALESCE(torn, to_json(delivered)::TEXT) AS content
FROM judged, LATERAL (SELECT {columns}) AS delivered WHERE reason IS NOT NULL
"""

_ACCOUNTS = """
CREATE TABLE accounts AS
WITH appended AS (
  SELECT export_file, row_key, ordinal
  FROM judged SEMI JOIN (FROM compared WHERE NOT is_unchanged) USING (ordinal)
), fates AS (
  SELECT export_file, 'quarantined' AS fate FROM judged WHERE reason IS NOT NULL
  UNION ALL SELECT export_file, 'unchanged'
  FROM judged SEMI JOIN (FROM compared WHERE is_unchanged) USING (ordinal)
  UNION ALL SELECT export_file, 'appended' FROM appended
  UNION ALL SELECT export_file, 'deleted' FROM deleted
  UNION ALL SELECT export_file, 'superseded' FROM appended JOIN (
    SELECT row_key, MAX(ordinal) AS last FROM appended GROUP BY row_key HAVING COUNT(*) > 1
  ) AS several USING (row_key) WHERE ordinal < last
)
SELECT
  $table AS table_name, export_file, fingerprint, $delivery AS delivery,
  COUNT(*) FILTER (fate IN ('quarantined', 'unchanged', 'appended')) AS rows_read,
  COUNT(*) FILTER (fate = 'quarantined') AS rows_quarantined,
  COUNT(*) FILTER (fate = 'unchanged') AS rows_unchanged,
  COUNT(*) FILTER (fate = 'appended') AS rows_appended,
  COUNT(*) FILTER (fate = 'superseded') AS rows_superseded,
  COUNT(*) FILTER (fate = 'deleted') AS rows_deleted
FROM files LEFT JOIN fates USING (export_file) GROUP BY ALL ORDER BY export_file
"""

_COUNTS = """
SELECT
  SUM(rows_read)::BIGINT, SUM(rows_appended)::BIGINT, SUM(rows_unchanged)::BIGINT,
  SUM(rows_deleted)::BIGINT, SUM(rows_quarantined)::BIGINT
FROM accounts
"""
