"""Read an export's files and judge their rows: what tells one from another, why one is bad."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines.clients import Client, Export
from pipelines.contracts import SQL_TYPES, Contract, Type
from pipelines.sources.files import ExportError, fingerprint, opened, shown

# The times that staging's @utc reads: an offset counts, a zone's name does not.
_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_OFFSET = "Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?"
_TIME = f"[T ][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?( *({_OFFSET}))?)?"


def judge(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    client: Client,
    export: Export,
    files: dict[Path, str],
) -> None:
    """Fill `judged`: a row per delivered row, with its key, its hash, and the reason if it is bad.

    A line that is no row is there too: bad, its text in `torn`, without ordinal and key.
    Raise ExportError if a file cannot be used, or is not the one whose fingerprint is given.
    """
    texts = ", ".join(f"{name} TEXT" for name in contract.columns)
    connection.execute(
        f"""CREATE TABLE files (export_file TEXT, fingerprint TEXT);
        CREATE TABLE judged (
          ordinal BIGINT, export_file TEXT, line BIGINT, torn TEXT, {texts},
          row_key TEXT, row_hash TEXT, reason TEXT
        )"""
    )
    count = 0
    for path, content in files.items():
        file = {"file": shown(path)}
        connection.execute("INSERT INTO files VALUES (?, ?)", [shown(path), content])
        with opened(connection, path, contract, export) as (rows, rejects):
            connection.execute(
                f"""INSERT INTO judged SELECT
                  CASE WHEN torn IS NULL THEN {count} + ROW_NUMBER() OVER () END, $file, *,
                  CASE WHEN torn IS NULL THEN {_hashed(contract.identity)} END,
                  {_hashed(contract.columns)}, {_reason(contract, client.currency)}
                FROM ({rows})""",
                file,
            )
            connection.execute(
                f"""INSERT INTO judged (export_file, line, torn, reason)
                SELECT $file, * FROM ({rejects})""",
                file,
            )
        read, bad, example = connection.execute(
            f"SELECT COUNT(*), COUNT(reason), MIN(reason) FROM judged WHERE rowid >= {count}"
        ).fetchone()
        count += read
        if content != fingerprint(path):
            raise ExportError("it changed while it was read; run it again once it is done", path)
        if not read and export.delivery == "full":
            raise ExportError("a full export without a row; deliver it again", path)
        if bad > client.quality.quarantine_limit * read:
            raise ExportError(
                f"{bad} of {read} rows are bad, for one: {example}."
                " Deliver it again, or raise quality.quarantine_limit",
                path,
            )


def _hashed(columns: Iterable[str]) -> str:
    """Return SQL for a hash of the columns."""
    return f"md5(to_json([{', '.join(columns)}])::TEXT)"


def _reason(contract: Contract, currency: str) -> str:
    """Return SQL that says all that is wrong with a row: NULL if nothing is."""
    reasons = []
    for name, column in contract.columns.items():
        if column.required:
            reasons.append(f"CASE WHEN {name} IS NULL THEN '{name} is missing' END")
        if column.type != "text":
            reasons.append(
                f"CASE WHEN {name} IS NOT NULL AND NOT {_castable(name, column.type)}"
                f" THEN CONCAT('{name} ''', {name}, ''' is no {column.type}') END"
            )
    for what, condition in contract.bad_if.items():
        reasons.append(f"CASE WHEN {condition} THEN '{what}' END")
    if "currency" in contract.columns:
        reasons.append(
            f"CASE WHEN currency <> '{currency}'"
            f" THEN CONCAT('currency ', currency, ', the client has {currency}') END"
        )
    said = f"NULLIF(CONCAT_WS('; ', {', '.join(reasons)}), '')"
    return f"CASE WHEN torn IS NULL THEN {said} ELSE 'the line holds no JSON object' END"


def _castable(name: str, type_: Type) -> str:
    if type_ in ("timestamp", "date"):
        return (
            f"(REGEXP_FULL_MATCH({name}, '{_DAY}({_TIME})?') AND COALESCE(TRY_CAST({name} AS TIMESTAMPTZ)"
            " BETWEEN '1970-01-01 00:00:00+00' AND '2100-01-01 00:00:00+00', FALSE))"
        )
    return f"(TRY_CAST({name} AS {SQL_TYPES[type_]}) IS NOT NULL)"
