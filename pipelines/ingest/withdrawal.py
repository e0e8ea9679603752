"""Take a bad load back: a new load in the log puts back what each of its rows was before.

The log is never rewritten. A row that the load brought anew is deleted by the new load, one that it
changed or deleted is appended as it was before; a row that a later load has brought since stays. So
staging, the accounting of rows and every number follow with the next run, as after any other load.
The files that the load read count as never loaded from then on: each may be delivered again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.salesforce_ids import whole_id
from pipelines.home import home
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.append import alone, scratch
from pipelines.lake.client_sources import client_sources
from pipelines.lake.newest_loads import newest_loads
from pipelines.ledger.recording import recorded
from pipelines.sql import literal, only_row

_UNTIL_A_LOAD_IS_NAMED = 5  # loads, the newest first


class WithdrawalError(Exception):
    """A load that cannot be taken back; the text names the client, why, and what would help."""


class Withdrawn(NamedTuple):
    """What became of a load's rows of one table."""

    source: str
    table: str
    rows: int  # of the load
    deleted: int  # it brought them anew
    restored: int  # it had changed or deleted them
    changed_since: int  # a later load has brought them, so they stay


def withdraw(client: str, load_id: str) -> list[Withdrawn]:
    """Take a committed load back; return what became of its rows, by table.

    Raise WithdrawalError if there is no such load, or it cannot be taken back. Killed at any time, it
    has taken back all of it or nothing.
    """
    source = _source_of(client, load_id)
    with recorded(client, "withdraw", source) as run, alone(client, source):
        run.loads = {source: load_id}
        found = _withdraw(SourceLog(client, source), load_id)
        run.outcome, run.rows = "taken back", sum(each.rows for each in found)
        run.made = {source: newest_loads(client)[source]}
        return found


def _withdraw(log: SourceLog, load_id: str) -> list[Withdrawn]:
    with scratch(log.client, f"{log.source}.withdrawal") as folder:
        with duckdb.connect() as connection:
            files = _files_of(connection, log, load_id)
            _check(connection, log, load_id, files)
            found: list[Withdrawn] = []
            written: dict[str, list[Path]] = {}
            for table in _tables(log):
                taken, path = _take_back(connection, log, table, load_id, folder)
                if taken.rows:
                    found.append(taken)
                    written |= {table: [path]} if taken.deleted + taken.restored else {}
            counts = {each.table: each for each in found}
            written["exports"] = [_written_counts(connection, log, load_id, counts, folder)]
        log.append(written)
        return found


def _source_of(client: str, load_id: str) -> str:
    """Return the source of a load. Raise WithdrawalError if there is none, with the newest loads."""
    folders = client_sources(client)
    logs = [SourceLog(client, folder) for folder in folders if (_lake(client) / folder).exists()]
    for log in logs:
        if load_id in log.loads:
            return log.source
    newest = sorted(((at, log.source, load) for log in logs for load, at in log.loads.items()))
    named = ", ".join(
        f"{load} of {source} ({at:%Y-%m-%d %H:%M})"
        for at, source, load in newest[: -_UNTIL_A_LOAD_IS_NAMED - 1 : -1]
    )
    raise WithdrawalError(
        f"{client}: there is no load {load_id}; the newest are {named or 'none'}. make explain and the lake's"
        " folders name the load of a row"
    )


def _lake(client: str) -> Path:
    return home() / "lake" / client


def _tables(log: SourceLog) -> Iterator[str]:
    return (table for table in CONTRACTS[log.source] if log.has(table))


def _files_of(
    connection: duckdb.DuckDBPyConnection, log: SourceLog, load_id: str
) -> list[tuple[str, str, int | None, str | None]]:
    """Return what a load counted of each file: its name, fingerprint and time, and what it withdraws."""
    columns = ("fingerprint", "file_time", "withdraws")
    return connection.execute(
        f"""SELECT export_file, COALESCE(fingerprint, ''), TRY_CAST(file_time AS BIGINT), withdraws
        FROM {log.rows("exports", columns)} AS log WHERE load_id = $load ORDER BY ALL""",
        {"load": load_id},
    ).fetchall()


def _taken_back_by(
    connection: duckdb.DuckDBPyConnection, log: SourceLog, load_id: str
) -> str | None:
    """Return the load that took another one back; None if none did."""
    query = f"SELECT MAX(load_id) FROM {log.rows('exports', ['withdraws'])} AS log WHERE withdraws = $load"
    (by,) = only_row(connection.execute(query, {"load": load_id}))
    return by


def _check(
    connection: duckdb.DuckDBPyConnection,
    log: SourceLog,
    load_id: str,
    files: list[tuple[str, str, int | None, str | None]],
) -> None:
    """Raise WithdrawalError if a load cannot be taken back."""
    said = f"{log.client}: the load {load_id} of {log.source}"
    if withdraws := next((each for *_, each in files if each), None):
        raise WithdrawalError(
            f"{said} takes the load {withdraws} back itself; deliver the files of that one again instead"
        )
    if by := _taken_back_by(connection, log, load_id):
        raise WithdrawalError(f"{said} is taken back already, by the load {by}")
    if not files or any(not fingerprint for _, fingerprint, *_ in files):
        raise WithdrawalError(
            f"{said} came of no file, but was answered by an API or a database. What it said is asked for"
            " again there, and days that were taken back would not be: correct it at its source"
        )
    for name, _, file_time, _ in files:
        path = home() / name
        if path.is_file() and file_time in (None, path.stat().st_mtime_ns):
            raise WithdrawalError(
                f"{said} was read from {name}, which still lies there, and the next make ingest would load it"
                " again: move it away, or put the right file in its place, then withdraw the load"
            )


_TAKE_BACK = """
CREATE OR REPLACE TEMP TABLE taken AS
WITH log AS (
  SELECT * FROM {rows}
), withdrawn AS (
  SELECT * FROM log WHERE load_id = {load}
  QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal DESC) = 1
), before AS (
  SELECT * FROM log
  WHERE loaded_at < (SELECT MIN(loaded_at) FROM withdrawn) AND row_key IN (SELECT row_key FROM withdrawn)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
), later AS (
  SELECT DISTINCT row_key FROM log
  WHERE loaded_at > (SELECT MAX(loaded_at) FROM withdrawn)
), known AS (
  SELECT
    withdrawn.row_key, withdrawn.is_deleted,
    COALESCE(NOT before.is_deleted, FALSE) AS was_there,
    NOT later.row_key IS NULL AS is_changed_since
  FROM withdrawn
  LEFT JOIN before USING (row_key)
  LEFT JOIN later USING (row_key)
), rows AS (
  SELECT 'restored' AS outcome, before.* FROM before JOIN known USING (row_key)
  WHERE was_there AND NOT is_changed_since
  UNION ALL BY NAME
  SELECT 'deleted' AS outcome, withdrawn.* REPLACE (TRUE AS is_deleted)
  FROM withdrawn JOIN known USING (row_key)
  WHERE NOT was_there AND NOT is_changed_since AND NOT known.is_deleted
  UNION ALL BY NAME
  SELECT 'changed since' AS outcome, withdrawn.* FROM withdrawn JOIN known USING (row_key)
  WHERE is_changed_since
  UNION ALL BY NAME
  SELECT 'gone' AS outcome, withdrawn.* FROM withdrawn JOIN known USING (row_key)
  WHERE NOT was_there AND NOT is_changed_since AND known.is_deleted
)
SELECT * FROM rows
"""


def _take_back(
    connection: duckdb.DuckDBPyConnection, log: SourceLog, table: str, load_id: str, folder: Path
) -> tuple[Withdrawn, Path]:
    """Write the rows that take a load's rows of a table back; return how many, and the file."""
    path = folder / f"{table}.rows.parquet"
    rows_of_the_log = _with_whole_ids(log, table)
    connection.execute(_TAKE_BACK.format(rows=rows_of_the_log, load=literal(load_id)))
    rows, deleted, restored, since = only_row(
        connection.execute(
            """SELECT COUNT(*), COUNT(*) FILTER (outcome = 'deleted'),
            COUNT(*) FILTER (outcome = 'restored'), COUNT(*) FILTER (outcome = 'changed since') FROM taken"""
        )
    )
    connection.execute(
        f"""COPY (
          SELECT * EXCLUDE (outcome, load_id, loaded_at) REPLACE (ROW_NUMBER() OVER (ORDER BY row_key) AS ordinal)
          FROM taken WHERE outcome IN ('deleted', 'restored')
        ) TO {literal(str(path))} (FORMAT parquet)"""
    )
    return Withdrawn(log.source, table, rows, deleted, restored, since), path


def _with_whole_ids(log: SourceLog, table: str) -> str:
    """Return SQL for all rows of a table; a key that is an id alone has one form, as in comparisons."""
    identity = CONTRACTS[log.source][table].identity
    rows = log.rows(table)
    if len(identity) > 1:
        return rows
    return f"(SELECT * REPLACE ({whole_id(identity[0])} AS row_key) FROM {rows} AS log)"


# Of each file of the load one row: the rows that were taken back stand in that of the first one.
_COUNTS = """
SELECT
  table_name, export_file, CONCAT('withdrawn ', fingerprint) AS fingerprint,
  'withdrawal' AS delivery, 0::BIGINT AS rows_read, 0::BIGINT AS rows_quarantined, 0::BIGINT AS rows_unchanged,
  CASE WHEN is_first THEN restored ELSE 0 END::BIGINT AS rows_appended, 0::BIGINT AS rows_superseded,
  CASE WHEN is_first THEN deleted ELSE 0 END::BIGINT AS rows_deleted,
  CASE WHEN is_first THEN deleted + restored ELSE 0 END::BIGINT AS rows_withdrawn,
  0::BIGINT AS rows_left_out, 0::BIGINT AS lines_read, 0::BIGINT AS rows_summed,
  '' AS newest_day, {load} AS withdraws
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY table_name ORDER BY export_file) = 1 AS is_first
  FROM {exports} AS log WHERE load_id = {load}
)
LEFT JOIN ({counted}) AS counted USING (table_name)
"""


def _written_counts(
    connection: duckdb.DuckDBPyConnection,
    log: SourceLog,
    load_id: str,
    counts: dict[str, Withdrawn],
    folder: Path,
) -> Path:
    """Write the load counts of a withdrawal: rows that were taken back, by table and file."""
    path = folder / "exports.withdrawn.parquet"
    values = ", ".join(
        f"({literal(name)}, {each.deleted}, {each.restored})" for name, each in counts.items()
    )
    counted = f"SELECT * FROM (VALUES {values or '(NULL, 0, 0)'}) AS counted(table_name, deleted, restored)"
    query = _COUNTS.format(load=literal(load_id), exports=log.rows("exports"), counted=counted)
    connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
    return path
