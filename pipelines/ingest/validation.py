"""Judge every row of a batch: what tells it from another, why it is bad."""

from pathlib import Path

import duckdb

from pipelines.contracts.contract import SQL_TYPES, Contract, Type
from pipelines.settings.client import Client
from pipelines.sources.batches import Batch, Rows
from pipelines.sql import BLANKS, literal

# The times that staging's @utc reads: an offset counts, a zone's name does not.
_DAY = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_OFFSET = "Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?"
_TIME = f"[T ][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?( *({_OFFSET}))?)?"


def judge(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    client: Client,
    batch: Batch,
    before: int,
    target: Path,
) -> tuple[int, int]:
    """Write a batch's rows to a Parquet file, each with its key, and why it is bad.

    They are numbered on from `before`. What is no row goes to the table `rejects`. Return how
    many are rows, and how many are none. Raise ExportError if it cannot be read, or is too dirty.
    """
    with batch.open(connection) as rows:
        (count,) = connection.execute(
            f"""COPY (
              SELECT * EXCLUDE (number, place), {before} + number AS ordinal,
              CASE WHEN reason IS NOT NULL THEN place END AS line FROM (
                SELECT {_is_deleted(contract)},
                {literal(batch.name)} AS export_file, {_row_key(contract)} AS row_key,
                {_reason(contract, client)} AS reason
                FROM (
                  SELECT {rows.number} AS number, {rows.line} AS place,
                  {_trimmed(rows, contract)} FROM {rows.relation}
                )
              )
            ) TO {literal(str(target))} (FORMAT parquet)"""
        ).fetchone()
        connection.execute(
            f"INSERT INTO rejects SELECT {literal(batch.name)}, * FROM ({rows.rejects})"
        )
        connection.execute(
            f"UPDATE files SET rows_left_out = ({rows.left_out}) WHERE export_file = $name",
            {"name": batch.name},
        )
    bad, torn, example = connection.execute(
        """SELECT COUNT(*), COUNT(*) FILTER (is_torn), MIN(reason) FROM (
          SELECT reason, FALSE AS is_torn FROM read_parquet($target) WHERE reason IS NOT NULL
          UNION ALL SELECT reason, TRUE FROM rejects WHERE export_file = $name
        )""",
        {"target": str(target), "name": batch.name},
    ).fetchone()
    allowed = client.quality.quarantine_limit * (count + torn)
    if bad > max(allowed, 1 if batch.covers.first else 0):  # a poll may bring one row alone
        raise batch.refused(
            f"{bad} of {count + torn} rows are bad, for one: {example}."
            " Deliver it again, or raise quality.quarantine_limit"
        )
    return count, torn


def _trimmed(rows: Rows, contract: Contract) -> str:
    """Return SQL for the contract's columns, as text, without blanks around it; NULL if nothing is left.

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


def _is_deleted(contract: Contract) -> str:
    """Return SQL for every column, and whether the source says that the row is deleted."""
    if "is_deleted" in contract.columns:
        return "* REPLACE (COALESCE(TRY_CAST(is_deleted AS BOOLEAN), FALSE) AS is_deleted)"
    return "*, FALSE AS is_deleted"


def _row_key(contract: Contract) -> str:
    """Return SQL for what tells a row from another: a column, or a hash of several."""
    if len(contract.identity) == 1:
        return contract.identity[0]
    return f"md5(to_json([{', '.join(contract.identity)}])::TEXT)"


def _reason(contract: Contract, client: Client) -> str:
    """Return SQL that says all that is wrong with a row: NULL if nothing is."""
    faults: dict[str, str] = {}
    for name, column in contract.columns.items():
        if column.required:
            faults[f"{name} IS NULL"] = f"'{name} is missing'"
        if column.type != "text":
            said = f"CONCAT('{name} ''', {name}, ''' is no {column.type}')"
            faults[f"{name} IS NOT NULL AND NOT {_castable(name, column.type)}"] = said
    faults |= {condition: f"'{what}'" for what, condition in contract.bad_if.items()}
    if "currency" in contract.columns:
        fault, said = _strange_currency(client)
        faults[fault] = said
    reasons = ", ".join(f"CASE WHEN {fault} THEN {said} END" for fault, said in faults.items())
    is_bad = " OR ".join(f"COALESCE({fault}, FALSE)" for fault in faults)
    return f"CASE WHEN {is_bad} THEN CONCAT_WS('; ', {reasons}) END"


def _strange_currency(client: Client) -> tuple[str, str]:
    """Return SQL for a currency that nothing tells in the client's, and for what is wrong with it."""
    if client.sources.rates:
        said = "CONCAT('currency ', currency, ' is not three capitals')"
        return "NOT REGEXP_FULL_MATCH(currency, '[A-Z]{3}')", said
    remedy = f", the client has {client.currency}: deliver sources.rates"
    return f"currency <> '{client.currency}'", f"CONCAT('currency ', currency, '{remedy}')"


def _castable(name: str, type_: Type) -> str:
    if type_ in ("timestamp", "date"):
        return (
            f"(REGEXP_FULL_MATCH({name}, '{_DAY}({_TIME})?') AND COALESCE(TRY_CAST({name} AS TIMESTAMP)"
            " BETWEEN '1970-01-01' AND '2100-01-01', FALSE))"
        )
    return f"(TRY_CAST({name} AS {SQL_TYPES[type_]}) IS NOT NULL)"
