"""Validate every row of a batch: its key, and why it is bad."""

from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import SQL_TYPES, Contract, Type
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, Rows
from pipelines.sources.nothing import something
from pipelines.sql import BLANKS, literal, only_row

# The times that staging's @utc reads: an offset counts, a zone's name does not.
_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_OFFSET = "Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?"
_TIME = f"[T ][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?( *({_OFFSET}))?)?"


class Validated(NamedTuple):
    """A batch after validation: a file of its rows, one of what is no row, and how many they are.

    A good row has no `reason`. `left_out` counts what is knowingly not read, and `lines_read` the
    lines of a text file.
    """

    rows: Path
    rejects: Path
    row_count: int
    reject_count: int
    left_out: int
    lines_read: int | None

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing in it, neither good nor bad."""
        return not self.row_count + self.reject_count


def validate(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    client: Client,
    batch: Batch,
    ordinals_used: int,
    target: Path,
) -> Validated:
    """Write a batch's rows to a Parquet file, each with its key, and the reason if it is bad.

    They are numbered on from the ordinals that batches before it have used. Raise ExportError if
    the batch cannot be read, or if too many of its rows are bad.
    """
    rows_file, rejects_file = (
        target.with_name(f"{target.name}.{part}.parquet") for part in ("rows", "rejects")
    )
    with batch.open(connection) as rows:
        query = _validated(contract, client, batch, rows, ordinals_used)
        row_count = _write(connection, query, rows_file)
        reject_count = _write(connection, _rejects(batch, rows), rejects_file)
        (left_out,) = only_row(connection.execute(rows.left_out))
    counted = (row_count, reject_count, left_out or 0, rows.lines_read)
    done = Validated(rows_file, rejects_file, *counted)
    _refuse_if_too_dirty(connection, client, batch, done)
    return done


def _write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    copy = f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)"
    return only_row(connection.execute(copy))[0]


def _validated(
    contract: Contract, client: Client, batch: Batch, rows: Rows, ordinals_used: int
) -> str:
    """Return SQL for the rows with their key, place and reason; a good one needs no line."""
    return f"""
      SELECT * EXCLUDE (number, place, span), {ordinals_used} + number AS ordinal,
      CASE WHEN reason IS NOT NULL THEN place END AS line,
      CASE WHEN reason IS NOT NULL THEN span END AS lines FROM (
        SELECT {_is_deleted(contract)},
        {literal(batch.name)} AS export_file, {_reason(contract, client)} AS reason
        FROM (
          SELECT * REPLACE ({_known(contract)}), {_row_key(contract)} AS row_key FROM (
            SELECT {rows.number} AS number, {rows.line} AS place, {rows.lines} AS span,
            {_trimmed(rows, contract)} FROM {rows.relation}
          )
        )
      )"""


def _rejects(batch: Batch, rows: Rows) -> str:
    return f"""
      SELECT {literal(batch.name)} AS export_file, line::BIGINT AS line, content::TEXT AS content,
      reason::TEXT AS reason, lines::BIGINT AS lines
      FROM ({rows.rejects}) AS rejects(line, content, reason, lines)"""


def _refuse_if_too_dirty(
    connection: duckdb.DuckDBPyConnection, client: Client, batch: Batch, done: Validated
) -> None:
    """Raise ExportError if more rows are bad than the client's quality.quarantine_limit allows.

    Of a file's lines no larger share may be bad: one row may hold most of them.
    """
    found = connection.execute(
        """SELECT COUNT(*), COALESCE(SUM(lines), 0), MIN(reason) FROM (
          SELECT reason, lines FROM read_parquet($rows) WHERE reason IS NOT NULL
          UNION ALL SELECT reason, lines FROM read_parquet($rejects)
        )""",
        {"rows": str(done.rows), "rejects": str(done.rejects)},
    )
    bad_rows, bad_lines, example = only_row(found)
    at_least = 1 if batch.covers.first else 0  # a poll may bring one row alone
    shares = {"rows": (bad_rows, done.row_count + done.reject_count)}
    if done.lines_read is not None:
        shares["lines"] = (bad_lines, done.lines_read)
    for what, (bad, count) in shares.items():
        if bad > max(client.quality.quarantine_limit * count, at_least):
            raise batch.refused(
                f"{bad} of {count} {what} are bad, for one: {example}."
                " Deliver it again, or raise quality.quarantine_limit"
            )


def _trimmed(rows: Rows, contract: Contract) -> str:
    """Return SQL for the contract's columns, as text without blanks around it; NULL if it is empty.

    Few values have blanks around them, and looking is cheaper than trimming.
    """
    selected = []
    for column in contract.columns:
        if column not in rows.columns:
            selected.append(f"NULL::TEXT AS {column}")
            continue
        value = f"{rows.columns[column]}::TEXT"
        ends = " OR ".join(f"ENDS_WITH({value}, '{blank}')" for blank in BLANKS)
        selected.append(
            f"CASE WHEN {value} < '!' OR {value} >= '\u00a0' OR {ends}"
            f" THEN NULLIF(TRIM({value}, '{BLANKS}'), '') ELSE {value} END AS {column}"
        )
    return ", ".join(selected)


def _known(contract: Contract) -> str:
    """Return SQL for the columns, NULL where a text stands for nothing.

    Keys are made of what was delivered: they stay as they are when a client's words change.
    """
    return ", ".join(f"{something(name, name, contract)} AS {name}" for name in contract.columns)


def _is_deleted(contract: Contract) -> str:
    """Return SQL for every column, and whether the source marks the row as deleted."""
    if "is_deleted" in contract.columns:
        return "* REPLACE (COALESCE(TRY_CAST(is_deleted AS BOOLEAN), FALSE) AS is_deleted)"
    return "*, FALSE AS is_deleted"


def _row_key(contract: Contract) -> str:
    """Return SQL for the key of a row: a column, or a hash of several."""
    if len(contract.identity) == 1:
        return contract.identity[0]
    return f"md5(to_json([{', '.join(contract.identity)}])::TEXT)"


def _reason(contract: Contract, client: Client) -> str:
    """Return SQL for all that is wrong with a row: NULL if nothing is."""
    faults: dict[str, str] = {}
    for name, column in contract.columns.items():
        if column.required:
            faults[f"{name} IS NULL"] = f"'{name} is missing'"
        if column.type != "text":
            reason = f"CONCAT('{name} ''', {name}, ''' is no {column.type}')"
            faults[f"{name} IS NOT NULL AND NOT {_castable(name, column.type)}"] = reason
    faults |= {condition: f"'{what}'" for what, condition in contract.bad_if.items()}
    if "currency" in contract.columns:
        fault, reason = _unpriced_currency(client)
        faults[fault] = reason
    reasons = ", ".join(f"CASE WHEN {fault} THEN {reason} END" for fault, reason in faults.items())
    is_bad = " OR ".join(f"COALESCE({fault}, FALSE)" for fault in faults)
    return f"CASE WHEN {is_bad} THEN CONCAT_WS('; ', {reasons}) END"


def _unpriced_currency(client: Client) -> tuple[str, str]:
    """Return SQL for a currency that cannot be changed into the client's, and for the reason."""
    if client.sources.rates:
        reason = "CONCAT('currency ', currency, ' is not three capitals')"
        return "NOT REGEXP_FULL_MATCH(currency, '[A-Z]{3}')", reason
    remedy = f", the client has {client.currency}: deliver sources.rates"
    return f"currency <> '{client.currency}'", f"CONCAT('currency ', currency, '{remedy}')"


def _castable(name: str, type_: Type) -> str:
    if type_ in ("timestamp", "date"):
        return (
            f"(REGEXP_FULL_MATCH({name}, '{_DAY}({_TIME})?') AND COALESCE(TRY_CAST({name} AS TIMESTAMP)"
            " BETWEEN '1970-01-01' AND '2100-01-01', FALSE))"
        )
    return f"(TRY_CAST({name} AS {SQL_TYPES[type_]}) IS NOT NULL)"
