"""Judge an export's rows and keep what is new: all set-based, in DuckDB.

A row is bad (quarantine, with the reason), unchanged (its key's newest version says the same),
or appended. A full export also deletes: a key that it lacks gets a row marked `is_deleted`.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from pipelines.clients import Client, Export
from pipelines.committed import committed_files, committed_loads
from pipelines.contracts import CONTRACTS, SQL_TYPES, Contract
from pipelines.home import home
from pipelines.lake import source_folder
from pipelines.sources.files import ExportError, read_file


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


def new_files(client: Client, source: str, table: str, export: Export) -> list[Path]:
    """Return the files to read: those never loaded; all of a full export if one of them is new.

    Raise ExportError if there is no file at all.
    """
    found = sorted(path for path in home().glob(export.files) if path.is_file())
    if not found:
        raise ExportError(f"no file matches {export.files}; deliver it, or correct `files:`")
    known = _loaded_files(client, source, table)
    fresh = [path for path in found if known.get(path.name) != fingerprint(path)]
    return found if fresh and export.delivery == "full" else fresh


def take(client: Client, source: str, table: str, export: Export, files: list[Path]) -> Delivery:
    """Return what the files bring. Raise ExportError if one of them is refused as a whole."""
    contract = CONTRACTS[source][table]
    connection = duckdb.connect(config={"python_enable_replacements": False})
    connection.execute("SET TimeZone = 'UTC'")
    _read(connection, contract, export, files)
    _judge(connection, contract, client)
    _refuse_dirt(connection, client, files)
    _compare(connection, contract, source_folder(client.id, source), table, export)
    connection.execute(_EXPORTS, {"table": table, "delivery": export.delivery})
    read, appended, unchanged, deleted, quarantined = connection.execute(_ACCOUNTS).fetchone()
    return Delivery(
        rows=connection.cursor().execute("FROM appended").to_arrow_reader(100_000),
        quarantine=connection.cursor().execute(_QUARANTINE, {"table": table}).to_arrow_reader(),
        exports=connection.cursor().execute("FROM accounts").to_arrow_reader(),
        counts=Counts(read, appended, unchanged, deleted, quarantined),
    )


def _loaded_files(client: Client, source: str, table: str) -> dict[str, str]:
    """Return the fingerprint under which each file's newest content was loaded."""
    folder = str(source_folder(client.id, source))
    loads = committed_loads(folder)
    ledger = committed_files(folder, "exports", loads)
    if not ledger:
        return {}
    return dict(
        duckdb.execute(
            """SELECT export_file, ARG_MAX(fingerprint, _dlt_load_id::DOUBLE)
            FROM read_parquet($ledger) WHERE table_name = $table GROUP BY export_file""",
            {"ledger": ledger, "table": table},
        ).fetchall()
    )


def fingerprint(path: Path) -> str:
    """Return what tells a file's content: its SHA-256. Raise ExportError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"not readable: {error.strerror}; deliver it again", path) from None


def _read(
    connection: duckdb.DuckDBPyConnection, contract: Contract, export: Export, files: list[Path]
) -> None:
    """Fill `exported`, a row per delivered row, and `torn`, a row per line that is no row."""
    columns = ", ".join(f"{name} TEXT" for name in contract.columns)
    connection.execute("CREATE TABLE torn (export_file TEXT, line BIGINT, content TEXT, reason TEXT)")
    connection.execute(
        f"CREATE TABLE exported (ordinal BIGINT, export_file TEXT, line BIGINT, {columns})"
    )
    connection.execute("CREATE TABLE files (export_file TEXT, fingerprint TEXT)")
    for path in files:
        connection.execute("INSERT INTO files VALUES (?, ?)", [path.name, fingerprint(path)])
        rows = read_file(connection, path, contract, export.columns, export.table)
        offset = connection.execute("SELECT COUNT(*) FROM exported").fetchone()[0]
        try:
            connection.execute(
                f"""INSERT INTO exported
                SELECT {offset} + ROW_NUMBER() OVER (), $file, ROW_NUMBER() OVER (), * FROM ({rows})""",
                {"file": path.name},
            )
        except duckdb.Error as error:
            line = str(error).strip().splitlines()[0]
            raise ExportError(f"not readable: {line}; deliver it again", path) from None
        if path.suffix.lower() == ".csv":
            connection.execute(
                "INSERT INTO torn SELECT $file, line, csv_line, error_message FROM reject_errors",
                {"file": path.name},
            )
            connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        if offset == connection.execute("SELECT COUNT(*) FROM exported").fetchone()[0]:
            if export.delivery == "full":
                raise ExportError("a full export without a row; deliver it again", path)


def _judge(connection: duckdb.DuckDBPyConnection, contract: Contract, client: Client) -> None:
    """Fill `judged`: the rows, each with its key, its hash, and the reason if it is bad."""
    reasons = []
    for name, column in contract.columns.items():
        if column.required:
            reasons.append(f"CASE WHEN {name} IS NULL THEN '{name} is missing' END")
        if column.type != "text":
            reasons.append(
                f"CASE WHEN {name} IS NOT NULL AND NOT {_castable(name, column.type)}"
                f" THEN CONCAT('{name} ''', {name}, ''' is no {column.type}') END"
            )
    for reason, condition in contract.bad_if.items():
        reasons.append(f"CASE WHEN {condition} THEN '{reason}' END")
    if "currency" in contract.columns:
        reasons.append(
            f"CASE WHEN currency <> '{client.currency}'"
            f" THEN CONCAT('currency ', currency, ', the client has {client.currency}') END"
        )
    connection.execute(
        f"""CREATE TABLE judged AS
        SELECT *, {_hash(contract.identity)} AS row_key, {_hash(contract.columns)} AS row_hash,
          NULLIF(CONCAT_WS('; ', {", ".join(reasons)}), '') AS reason
        FROM exported"""
    )


def _castable(name: str, type_: str) -> str:
    if type_ == "timestamp":
        return (
            f"COALESCE(TRY_CAST({name} AS TIMESTAMPTZ)"
            " BETWEEN '1970-01-01 00:00:00+00' AND '2100-01-01 00:00:00+00', FALSE)"
        )
    return f"(TRY_CAST({name} AS {SQL_TYPES[type_]}) IS NOT NULL)"


def _hash(columns: tuple[str, ...] | dict) -> str:
    return f"md5(to_json([{', '.join(columns)}])::TEXT)"


def _refuse_dirt(
    connection: duckdb.DuckDBPyConnection, client: Client, files: list[Path]
) -> None:
    """Refuse a file of which more than the client's limit is bad."""
    worst = connection.execute(
        """WITH verdicts AS (
          SELECT export_file, reason FROM judged UNION ALL SELECT export_file, reason FROM torn
        )
        SELECT export_file, COUNT(reason), COUNT(*), MIN(reason) FROM verdicts
        GROUP BY export_file HAVING COUNT(reason) > ? * COUNT(*) ORDER BY ALL LIMIT 1""",
        [client.quality.quarantine_limit],
    ).fetchone()
    if worst:
        raise ExportError(
            f"{worst[1]} of {worst[2]} rows are bad, for one: {worst[3]}."
            " Deliver it again, or raise quality.quarantine_limit",
            next(path for path in files if path.name == worst[0]),
        )


def _compare(
    connection: duckdb.DuckDBPyConnection, contract: Contract, folder: Path, table: str, export: Export
) -> None:
    """Fill `known`, the newest version of each key in the lake, and `appended`, what is new."""
    loads = committed_loads(str(folder))
    files = committed_files(str(folder), table, loads)
    connection.execute("CREATE TABLE loads (load_id TEXT, loaded_at TIMESTAMP)")
    if loads:
        connection.executemany("INSERT INTO loads VALUES (?, ?)", list(loads.items()))
    names = ", ".join(contract.columns)
    texts = ", ".join(f"{name} TEXT" for name in contract.columns)
    connection.execute(
        f"CREATE TABLE known (row_key TEXT, row_hash TEXT, is_deleted BOOLEAN, {texts})"
    )
    if files:
        connection.execute(
            f"""INSERT INTO known SELECT row_key, row_hash, is_deleted, {names}
            FROM read_parquet($files) AS raw JOIN loads ON raw._dlt_load_id = loads.load_id
            QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
            """,
            {"files": files},
        )
    connection.execute(
        f"""CREATE TABLE compared AS
        SELECT judged.*, judged.row_hash IS NOT DISTINCT FROM COALESCE(
            LAG(judged.row_hash) OVER (PARTITION BY judged.row_key ORDER BY judged.ordinal),
            known.row_hash
          ) AS is_unchanged
        FROM judged LEFT JOIN known ON judged.row_key = known.row_key WHERE judged.reason IS NULL;
        CREATE TABLE appended AS
        SELECT ordinal, row_key, row_hash, FALSE AS is_deleted, export_file, {names}
        FROM compared WHERE NOT is_unchanged"""
    )
    if export.delivery == "full":
        last_file = "(SELECT MAX(export_file) FROM files)"
        connection.execute(
            f"""INSERT INTO appended
            SELECT 0, row_key, 'deleted', TRUE, {last_file}, {names} FROM known
            WHERE NOT is_deleted AND row_key NOT IN (SELECT row_key FROM judged)"""
        )


_ACCOUNTS = """
SELECT
  SUM(rows_read)::BIGINT, SUM(rows_appended)::BIGINT, SUM(rows_unchanged)::BIGINT,
  SUM(rows_deleted)::BIGINT, SUM(rows_quarantined)::BIGINT
FROM accounts
"""

_QUARANTINE = """
SELECT $table AS table_name, export_file, line, reason, to_json(judged)::TEXT AS content
FROM judged WHERE reason IS NOT NULL
UNION ALL SELECT $table, export_file, line, reason, content FROM torn
"""

_EXPORTS = """
CREATE TABLE accounts AS
WITH fates AS (
  SELECT export_file, 'quarantined' AS fate FROM judged WHERE reason IS NOT NULL
  UNION ALL SELECT export_file, 'quarantined' FROM torn
  UNION ALL SELECT export_file, 'unchanged' FROM compared WHERE is_unchanged
  UNION ALL SELECT export_file, 'deleted' FROM appended WHERE is_deleted
  UNION ALL SELECT export_file, 'appended' FROM appended WHERE NOT is_deleted
  UNION ALL (
    SELECT export_file, 'superseded' FROM appended
    QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal DESC) > 1
  )
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
