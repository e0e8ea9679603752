"""Read files again: compare their rows, as they are read now, with what the lake holds of them.

Afterwards the lake says what it would say if the files that are there had always been read so:

- Of a key, the last row in the order of the deliveries counts. It is appended if the newest version in
  the lake says something else; of a key that no file yields any more, that version is deleted.
- What a delivery brought that is gone stays as it was read. Its version of a key gives way only to a
  file that was delivered after it.

A key may have come with a file and not be noted as that file's: another one brought it before, with the
same content. So the files are read by the settings from before as well, for the keys that they had.
"""

from pathlib import Path

import duckdb

from pipelines.ingest.content import content as content_of
from pipelines.ingest.pending import Round
from pipelines.ingest.read_before import rows_before
from pipelines.ingest.readings import difference, reading_of
from pipelines.ingest.table import Table
from pipelines.sql import literal, only_row


def compare(
    connection: duckdb.DuckDBPyConnection, table: Table, round_: Round, folder: Path
) -> None:
    """Find what is unchanged of files that are read again, and the keys that they lost.

    It reads the tables of a delta, `batches` and `delivered`, and makes `stored`, `unchanged`,
    `superseded`, and `lost`.
    """
    content = content_of(table.delivery.contract, table.columns)
    stays = (
        "NOT is_whole" if table.delivery.merge else "NOT is_present AND newest.came_at > {}.came_at"
    )
    connection.execute(_deliveries(table))
    connection.execute(_newest(table, content))
    connection.execute("CREATE TABLE had (row_key TEXT, export_file TEXT)")
    for file in rows_before(connection, table, round_, folder):
        connection.execute(
            "INSERT INTO had SELECT row_key, export_file FROM read_parquet(?) WHERE reason IS NULL",
            [str(file)],
        )
    connection.execute(
        _UNCHANGED.format(content=content, stays=stays.format("present"))
        + _LOST.format(stays=stays.format("had"))
    )


def delete(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add the keys that were lost to those that are `deleted`."""
    if connection.execute("FROM lost LIMIT 1").fetchall():
        columns = ", ".join(table.columns)
        connection.execute(
            f"""INSERT INTO deleted SELECT row_key, lost.export_file, {columns}
            FROM {table.stored} AS log JOIN lost USING (row_key)
            WHERE row_key NOT IN (SELECT row_key FROM deleted)
            QUALIFY ROW_NUMBER() OVER (
              PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC
            ) = 1"""
        )


def first_loaded(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return when each file that was loaded before was loaded first, with this content."""
    return dict(
        connection.execute(
            "SELECT export_file, came_at::TEXT FROM present WHERE came_at < '9999-12-31'"
        ).fetchall()
    )


def notes(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> list[str]:
    """Say what was read again and why, and what could not be read again."""
    now = reading_of(table)
    reasons = {difference(before, now) for before in (round_.again or {}).values()} - {""}
    why = f", as settings changed ({' or '.join(sorted(reasons))})" if reasons else ""
    count = len(round_.batches)
    found = connection.execute(_CHANGED).fetchall()
    (appended, deleted), *_ = found
    said = (
        f"{table.name}: {count} {'file' if count == 1 else 'files'} read again{why}:"
        f" {appended} rows changed, {deleted} deleted"
    )
    return [said, *_gone(connection, table, now)]


def _gone(connection: duckdb.DuckDBPyConnection, table: Table, now: str) -> list[str]:
    """Say which deliveries are gone that were read otherwise, and how many rows stay so."""
    rows, files, names = only_row(connection.execute(_STAY, {"now": now}))
    if not rows:
        return []
    others = f", and {files - len(names)} more" if files > len(names) else ""
    return [
        f"{table.name}: {rows} rows of {files} {'delivery' if files == 1 else 'deliveries'} that"
        f" {'is' if files == 1 else 'are'} gone stay as they were read before: {', '.join(names)}{others}."
        " Put a file back as it was, and the next run reads it again"
    ]


def _deliveries(table: Table) -> str:
    """Return SQL for every delivery in the log, and for those that are there: `present`."""
    log = table.log
    is_table = f"table_name = {literal(table.name)}"
    readings = "(SELECT '' AS load_id, '' AS export_file, '' AS fingerprint, '' AS reading,"
    readings += " '' AS first_loaded_at, NULL::TIMESTAMP AS loaded_at WHERE FALSE)"
    if log.has("readings"):
        readings = f"(FROM {log.rows('readings')} AS log WHERE {is_table})"
    exports = f"(FROM {log.rows('exports')} AS log WHERE {is_table})"
    return f"""
      CREATE TABLE deliveries AS SELECT
        exports.load_id, exports.export_file, COALESCE(exports.fingerprint, '') AS fingerprint,
        COALESCE(own.first_loaded_at::TIMESTAMP, exports.loaded_at) AS came_at,
        COALESCE(own.reading, (SELECT ARG_MIN(reading, loaded_at) FROM {readings} AS first)) AS reading
      FROM {exports} AS exports LEFT JOIN {readings} AS own
      ON exports.load_id = own.load_id AND exports.export_file = own.export_file;
      CREATE TABLE present AS SELECT
        batches.export_file, COALESCE(batches.fingerprint, '') AS fingerprint,
        COALESCE(
          MAX(deliveries.came_at) FILTER (deliveries.fingerprint <> ''), '9999-12-31'::TIMESTAMP
        ) AS came_at
      FROM batches LEFT JOIN deliveries ON batches.export_file = deliveries.export_file
      AND batches.fingerprint = deliveries.fingerprint GROUP BY ALL"""


def _newest(table: Table, content: str) -> str:
    """Return SQL for the newest version of each key, and the delivery that it came with.

    A key `is_whole` if every version of it came with files that are there. A file is there under any
    name; an object in a bucket under its own, as its size and time stand for its content.
    """
    is_named = table.export and table.export.in_bucket
    named = " AND deliveries.export_file = there.export_file" if is_named else ""
    export_file = "export_file" if is_named else "MAX(export_file) AS export_file"
    if not table.is_stored:
        empty = (
            "'' AS row_key, 0::UBIGINT AS content, FALSE AS is_deleted, NULL::TIMESTAMP AS came_at,"
        )
        empty += " '' AS file, '' AS reading, '' AS export_file, FALSE AS is_present"
        return f"CREATE TABLE newest AS SELECT {empty}, TRUE AS is_whole WHERE FALSE"
    return f"""
      CREATE TABLE newest AS SELECT row_key, UNNEST(ARG_MAX(version, (loaded_at, ordinal))),
      BOOL_AND(file IS NOT NULL) AS is_whole FROM (
        SELECT log.row_key, log.loaded_at, log.ordinal, there.export_file AS file, STRUCT_PACK(
          content := {content}, is_deleted := log.is_deleted,
          came_at := COALESCE(deliveries.came_at, log.loaded_at), file := there.export_file,
          reading := deliveries.reading, export_file := log.export_file,
          is_present := there.export_file IS NOT NULL
        ) AS version
        FROM {table.stored} AS log LEFT JOIN deliveries USING (load_id, export_file)
        LEFT JOIN (
          SELECT fingerprint, {export_file} FROM present WHERE fingerprint <> '' GROUP BY ALL
        ) AS there ON deliveries.fingerprint = there.fingerprint{named}
      ) GROUP BY row_key"""


_UNCHANGED = """
CREATE TABLE stored AS SELECT row_key, content, is_deleted FROM newest;
CREATE TABLE superseded (ordinal BIGINT);
CREATE TABLE unchanged AS SELECT good.ordinal,
newest.row_key IS NOT NULL AND ({stays}) AS stays FROM (
  SELECT ordinal, row_key, export_file, {content} AS content,
  ordinal < MAX(ordinal) OVER (PARTITION BY row_key) AS is_superseded
  FROM delivered WHERE reason IS NULL
) AS good
JOIN present ON good.export_file = present.export_file
LEFT JOIN newest ON good.row_key = newest.row_key
WHERE is_superseded OR good.content = newest.content
OR (newest.row_key IS NOT NULL AND ({stays}));
"""

_LOST = """
CREATE TABLE lost AS SELECT newest.row_key, COALESCE(newest.file, had.export_file) AS export_file
FROM newest LEFT JOIN (
  SELECT row_key, ARG_MAX(export_file, present.came_at) AS export_file,
  MAX(present.came_at) AS came_at
  FROM had JOIN present USING (export_file) GROUP BY row_key
) AS had ON newest.row_key = had.row_key
WHERE NOT newest.is_deleted
AND newest.row_key NOT IN (SELECT row_key FROM delivered WHERE reason IS NULL)
AND (newest.is_present OR had.row_key IS NOT NULL) AND NOT COALESCE({stays}, FALSE)
"""

_CHANGED = """
SELECT (SELECT COUNT(*) FROM delivered ANTI JOIN unchanged USING (ordinal) WHERE reason IS NULL),
(SELECT COUNT(*) FROM deleted)
"""

_STAY = """
SELECT COUNT(*), COUNT(DISTINCT newest.export_file),
COALESCE(LIST(DISTINCT newest.export_file ORDER BY newest.export_file)[:5], [])
FROM newest WHERE NOT is_deleted AND NOT is_present AND file IS NULL AND reading <> $now
AND row_key NOT IN (
  SELECT row_key FROM delivered ANTI JOIN (FROM unchanged WHERE stays) USING (ordinal)
  WHERE reason IS NULL
) AND row_key NOT IN (SELECT row_key FROM deleted)
"""
