"""Take what is new from a table's batches: all set-based, in DuckDB, to Parquet files for the lake.

A row is bad (quarantine, with the reason), unchanged (its key's newest version says the same),
or appended. What a full export lacks, or the days a platform was asked for, gets a row marked
`is_deleted`. Rows go from file to file: memory holds keys and hashes, and those spill. What two
versions of a row say is compared by a hash that is made here and kept nowhere.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.validation import judge
from pipelines.lake.append import source_folder
from pipelines.lake.loads import committed_files, read_loads
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, Coverage
from pipelines.sources.files import event_sessions as events
from pipelines.sources.files.deliveries import contract_of
from pipelines.sql import literal


class Table(NamedTuple):
    """One table of a client: how it is delivered, and the loads that the lake has of its source.

    A delivery is an `increment`; or `full`, or whole `days`: then it says what is deleted, too.
    """

    client: Client
    source: str
    name: str
    delivery: str
    loads: dict[str, datetime]

    @property
    def contract(self) -> Contract:
        """Return what must be delivered."""
        return contract_of(
            self.source, self.name, self.client.sources.of(self.source).get(self.name)
        )

    @property
    def columns(self) -> list[str]:
        """Return the columns that raw keeps as the text that was delivered."""
        return [name for name in self.contract.columns if name != "is_deleted"]

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
    """What a table's batches bring, as Parquet files: new rows, bad rows, accounts; and the sums."""

    rows: list[Path]
    quarantine: Path
    exports: Path
    counts: Counts


class Known(NamedTuple):
    """What the ledger says of a table: each batch's newest fingerprint, and the days it covers."""

    fingerprints: dict[str, str]
    covers: list[Coverage]


def known(table: Table) -> Known:
    """Return what was loaded of a table."""
    if not (ledger := table.in_lake("exports")):
        return Known({}, [])
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""SELECT export_file, ARG_MAX(fingerprint, load_id::DOUBLE),
            ANY_VALUE(account), ANY_VALUE(covers_from), ANY_VALUE(covers_until)
            FROM {read_loads(ledger, table.loads)} AS log
            WHERE table_name = $table GROUP BY export_file""",
            {"table": table.name},
        ).fetchall()
    covers = [Coverage(account, *days) for _, _, account, *days in rows if days[0]]
    return Known({name: content for name, content, *_ in rows}, covers)


def take(table: Table, batches: list[Batch], folder: Path) -> Delivery:
    """Return what the batches bring, as files in a folder. Raise ExportError if one is refused."""
    with duckdb.connect(config=_settings(folder)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            """CREATE TABLE files (
              export_file TEXT, fingerprint TEXT, account TEXT, covers_from TEXT, covers_until TEXT,
              rows_left_out BIGINT
            );
            CREATE TABLE rejects (export_file TEXT, line BIGINT, content TEXT, reason TEXT)"""
        )
        judged = _judge(connection, table, batches, folder)
        if table.contract is events.CONTRACT:
            judged = [_join(connection, table, folder)]
        _compare(connection, table)
        _delete(connection, table)
        connection.execute(_ACCOUNTS, {"table": table.name, "delivery": table.delivery})
        counts = Counts(*connection.execute(_COUNTS).fetchone())
        names = {"table": table.name, "columns": ", ".join(table.columns)}
        rows = judged if counts.read else []
        if counts != Counts(counts.read, appended=counts.read):
            rows = []
            if counts.appended or counts.deleted:
                rows = [_write(connection, _APPENDED.format(**names), folder, table)]
        quarantine = _write(connection, _QUARANTINE.format(**names), folder, table, "quarantine")
        exports = _write(connection, "FROM accounts", folder, table, "exports")
        return Delivery(rows, quarantine, exports, counts)


def gathered(deliveries: dict[str, Delivery]) -> dict[str, list[Path]]:
    """Return the files for the lake: each table's rows, all bad rows, the ledger."""
    files = {name: taken.rows for name, taken in deliveries.items() if taken.rows}
    bad = [taken.quarantine for taken in deliveries.values() if taken.counts.quarantined]
    return (
        files
        | {"exports": [taken.exports for taken in deliveries.values()]}
        | ({"quarantine": bad} if bad else {})
    )


def _settings(folder: Path) -> dict[str, str | bool]:
    """Return DuckDB's settings: every client has a process, so what is large goes to disk."""
    return {
        "memory_limit": "300MB",
        "temp_directory": str(folder / "spill"),
        "python_enable_replacements": False,
    }


def _write(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    folder: Path,
    table: Table,
    what: str = "rows",
) -> Path:
    path = folder / f"{table.name}.{what}.parquet"
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
    return path


def _judge(
    connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch], folder: Path
) -> list[Path]:
    """Create `judged`, the rows of all batches; return the files that they are in."""
    files, count = [], 0
    for number, batch in enumerate(batches):
        connection.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, 0)",
            [batch.name, batch.fingerprint, *(part or None for part in batch.covers)],
        )
        files.append(folder / f"{table.name}.{number}.parquet")
        rows, torn = judge(connection, table.contract, table.client, batch, count, files[-1])
        if not rows + torn and table.delivery == "full":
            raise batch.refused("a full export without a row; deliver it again")
        count += rows
    paths = ", ".join(literal(str(file)) for file in files)
    connection.execute(f"CREATE VIEW judged AS FROM read_parquet([{paths}])")
    return files


def _join(connection: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> Path:
    """Join in `judged` the sessions that are spread over several batches, or began in the lake."""
    is_begun = table.in_lake() and table.delivery == "increment"  # a full export says all by itself
    joined = events.joined(connection, _log(table) if is_begun else "", folder)
    connection.execute(
        f"CREATE OR REPLACE VIEW judged AS FROM read_parquet({literal(str(joined))})"
    )
    return joined


def _compare(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill `unchanged`: the good rows that say what the version of their key before them says.

    And `known`: the newest version of each key in the lake, as far as it matters here. A key that
    is neither known nor there twice is new: only the others are compared.
    """
    said = f"HASH({', '.join(['is_deleted', *table.columns])})"
    connection.execute("CREATE TABLE known (row_key TEXT, said UBIGINT, is_deleted BOOLEAN)")
    if table.in_lake():
        connection.execute(
            f"""INSERT INTO known SELECT row_key, ARG_MAX({said}, (loaded_at, ordinal)),
            ARG_MAX(is_deleted, (loaded_at, ordinal))
            FROM {_log(table)} AS log WHERE {_SCOPES[table.delivery]} GROUP BY row_key"""
        )
    connection.execute(
        f"""CREATE TABLE familiar AS
        SELECT ordinal, row_key, {said} AS said FROM judged
        WHERE reason IS NULL AND HASH(row_key) IN (
          SELECT HASH(row_key) AS tag FROM judged GROUP BY tag HAVING COUNT(*) > 1
          UNION ALL SELECT HASH(row_key) FROM known
        );
        CREATE TABLE unchanged AS SELECT ordinal FROM (
          SELECT familiar.ordinal, familiar.said IS NOT DISTINCT FROM COALESCE(
              LAG(familiar.said) OVER (PARTITION BY familiar.row_key ORDER BY familiar.ordinal),
              known.said
            ) AS is_unchanged
          FROM familiar LEFT JOIN known USING (row_key)
        ) WHERE is_unchanged"""
    )


def _log(table: Table) -> str:
    """Return SQL for the rows that the lake has of a table."""
    return read_loads(table.in_lake(), table.loads, table.columns)


def _delete(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill `deleted`: what is known and was not delivered. A torn line may hold any key."""
    columns = ", ".join(table.columns)
    texts = ", ".join(f"{name} TEXT" for name in table.columns)
    connection.execute(f"CREATE TABLE deleted (row_key TEXT, export_file TEXT, {texts})")
    connection.execute("CREATE TABLE missing (row_key TEXT)")
    if table.delivery != "increment":
        connection.execute(
            """INSERT INTO missing SELECT row_key FROM known ANTI JOIN judged USING (row_key)
            WHERE NOT known.is_deleted AND NOT EXISTS (FROM rejects)"""
        )
    if connection.execute("FROM missing LIMIT 1").fetchall():
        connection.execute(
            f"""INSERT INTO deleted SELECT row_key, (SELECT MAX(export_file) FROM files), {columns}
            FROM {_log(table)} AS log WHERE row_key IN (FROM missing)
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1"""
        )


# What of the lake a delivery is compared with: its keys, everything, or its days and accounts.
_SCOPES = {
    "increment": "row_key IN (SELECT row_key FROM judged)",
    "full": "TRUE",
    "days": """EXISTS (
      FROM files
      WHERE TRY_CAST(log.spend_date AS DATE) BETWEEN covers_from::DATE AND covers_until::DATE
      AND COALESCE(log.account_id, account) = account
    )""",
}

_APPENDED = """
SELECT ordinal, export_file, line, {columns}, is_deleted, row_key, reason
FROM judged ANTI JOIN unchanged USING (ordinal) WHERE reason IS NULL
UNION ALL BY NAME
SELECT 0 AS ordinal, export_file, {columns}, TRUE AS is_deleted, row_key
FROM deleted
"""

_QUARANTINE = """
SELECT '{table}' AS table_name, export_file, line, reason, to_json(delivered)::TEXT AS content
FROM judged, LATERAL (SELECT {columns}) AS delivered WHERE reason IS NOT NULL
UNION ALL
SELECT '{table}', export_file, line, reason, content FROM rejects
"""

_ACCOUNTS = """
CREATE TABLE accounts AS
WITH fates AS (
  SELECT export_file, 'quarantined' AS fate, COUNT(*) AS many
  FROM judged WHERE reason IS NOT NULL GROUP BY export_file
  UNION ALL SELECT export_file, 'quarantined', COUNT(*) FROM rejects GROUP BY export_file
  UNION ALL SELECT export_file, 'good', COUNT(*)
  FROM judged WHERE reason IS NULL GROUP BY export_file
  UNION ALL SELECT export_file, 'unchanged', COUNT(*)
  FROM judged SEMI JOIN unchanged USING (ordinal) GROUP BY export_file
  UNION ALL SELECT export_file, 'deleted', COUNT(*) FROM deleted GROUP BY export_file
  UNION ALL SELECT export_file, 'superseded', COUNT(*) FROM (
    SELECT export_file, ordinal < MAX(ordinal) OVER (PARTITION BY row_key) AS is_superseded
    FROM judged SEMI JOIN (FROM familiar ANTI JOIN unchanged USING (ordinal)) USING (ordinal)
  ) WHERE is_superseded GROUP BY export_file
), counted AS (
  SELECT export_file, COALESCE(SUM(many) FILTER (fate = 'good'), 0)::BIGINT AS rows_good,
  COALESCE(SUM(many) FILTER (fate = 'quarantined'), 0)::BIGINT AS rows_quarantined,
  COALESCE(SUM(many) FILTER (fate = 'unchanged'), 0)::BIGINT AS rows_unchanged,
  COALESCE(SUM(many) FILTER (fate = 'superseded'), 0)::BIGINT AS rows_superseded,
  COALESCE(SUM(many) FILTER (fate = 'deleted'), 0)::BIGINT AS rows_deleted
  FROM files LEFT JOIN fates USING (export_file) GROUP BY export_file
)
SELECT
  $table AS table_name, export_file, fingerprint, account, covers_from, covers_until,
  $delivery AS delivery, rows_good + rows_quarantined AS rows_read, rows_quarantined,
  rows_unchanged, rows_good - rows_unchanged AS rows_appended, rows_superseded, rows_deleted,
  COALESCE(rows_left_out, 0) AS rows_left_out
FROM files JOIN counted USING (export_file) ORDER BY export_file
"""

_COUNTS = """
SELECT
  SUM(rows_read)::BIGINT, SUM(rows_appended)::BIGINT, SUM(rows_unchanged)::BIGINT,
  SUM(rows_deleted)::BIGINT, SUM(rows_quarantined)::BIGINT
FROM accounts
"""
