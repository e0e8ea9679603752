"""Refuse rows of which a column that nobody reads says that some do not count.

An export of payments has those that failed, too, and a copy of a table, of whatever it is, the rows that were
deleted there, by `_fivetran_deleted` or `deleted_at`. Which rows count is for the client to say, by `where:`; until
then an export with such values is not believed.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.files.status_names import (
    says_deleted,
    says_done,
    says_status,
    says_undone,
)
from pipelines.sources.yaml_texts import condition
from pipelines.sql import identifier, literal

_UNDONE = (
    "fail(ed|ure)?|(partially |partly |fully )?refund(ed)?|void(ed)?|cancel(l?ed)?|declined|denied"
    "|rejected|pending|draft|test|unpaid|expired|incomplete|charge ?back|disputed|reversed|returned"
    "|abandoned|error|trash(ed)?|deleted|uncaptured|on hold|requires .*|fehlgeschlagen|storniert"
    "|erstattet|abgebrochen|abgelehnt|ausstehend|entwurf|offen|authori[sz]ed|blocked|fraud(ulent)?"
    "|unsuccessful|not paid|payment (failed|pending|declined)|awaiting payment"
    "|storno|(teil|teilweise |voll|vollst(\u00e4|ae)ndig )?(erstattet|storniert)|teilerstattung|widerrufen|retourniert"
    "|retoure|zur(\u00fc|ue)ck(gegeben|erstattet|gezahlt|gebucht)|unbezahlt|nicht bezahlt|wartend|zahlung ausstehend"
    "|annul(\u00e9|e)e?|(partiellement )?rembours(\u00e9|e)e?|(\u00e9|e)chou(\u00e9|e)e?|en attente|refus(\u00e9|e)e?|impay(\u00e9|e)e?"
    "|cancelad[oa]|reembolsad[oa]|pendiente|fallid[oa]|rechazad[oa]|annullat[oa]|rimborsat[oa]|in attesa"
)
_SET = "true|t|yes|y|1|ja|wahr|[0-9]{4}[ ./]?[0-9]{2}[ ./]?[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*"
_UNSET = "false|f|no|n|0|nein|falsch"
_SHOWN, _LISTED = 8, 40


def refuse_uncounting(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    batch: Batch,
    rows_file: Path,
    unread: Mapping[str, str],
    ordinals_used: int,
) -> None:
    """Raise ExportError if a column that is not read says of some rows that they do not count."""
    says = (says_status, says_undone, says_done) if contract.converts else (says_deleted,)
    names = [each for each in unread if any(is_said(each) for is_said in says)]
    if not names:
        return
    keep_texts(connection, contract, batch, rows_file, names, ordinals_used)
    for name in sorted(names, key=lambda name: (not says_status(name), name)):
        found = connection.execute(counted_values(name, _undone(name))).fetchall()
        if any(is_undone for _, _, is_undone in found):
            raise _refusal(batch, name, found, "no conversions" if contract.converts else "deleted")


def keep_texts(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    batch: Batch,
    rows_file: Path,
    names: Iterable[str],
    ordinals_used: int,
) -> None:
    """Keep, in the table `statuses`, what some columns that are not read say of good rows: of conversions, if it has them."""
    with batch.open(connection) as rows:
        texts = ", ".join(
            f"NULLIF(TRIM(({rows.unread[name]})::TEXT), '') AS {identifier(name)}" for name in names
        )
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE statuses AS
            SELECT * FROM (SELECT {rows.number} AS number, {texts} FROM {rows.relation})
            WHERE {ordinals_used} + number IN (
              SELECT ordinal FROM read_parquet({literal(str(rows_file))})
              WHERE reason IS NULL AND ({contract.converts or "TRUE"})
            )"""
        )


def counted_values(name: str, pattern: str) -> str:
    """Return SQL for the values of a column, how many rows have each, and whether it fits a pattern."""
    plain = f"REGEXP_REPLACE(LOWER(TRIM({identifier(name)})), '[ _-]+', ' ', 'g')"
    return f"""SELECT {identifier(name)}, COUNT(*),
      COALESCE(REGEXP_FULL_MATCH({plain}, {literal(pattern)}), FALSE)
      FROM statuses GROUP BY ALL ORDER BY 2 DESC, 1"""


def _undone(name: str) -> str:
    """Return the pattern of the values by which a row does not count."""
    if says_done(name) and says_status(name):
        return f"{_UNDONE}|{_UNSET}"
    return _UNDONE if says_status(name) else _UNSET if says_done(name) else _SET


def _refusal(batch: Batch, name: str, found: list[tuple], what: str) -> ExportError:
    said = ", ".join(f"{_quoted(value)} in {count}" for value, count, _ in found[:_SHOWN])
    others = f" and {len(found) - _SHOWN} other values" if found[_SHOWN:] else ""
    rows = sum(count for _, count, is_undone in found if is_undone)
    return batch.refused(
        f"by its column '{name}', which is not read, {rows} of its {sum(row[1] for row in found)} rows"
        f" may be {what}: it is {said}{others}. Say which rows count",
        [
            Remedy(
                f"where: {condition(condition_of(name, found))}", meaning="the others do not count"
            ),
            Remedy("where: true", meaning="all rows count"),
        ],
    )


def _quoted(value: str | None) -> str:
    return "empty" if value is None else f"'{value[:_LISTED]}'"


def condition_of(name: str, found: list[tuple]) -> str:
    """Return the condition for the rows that seem to count: by their values, or by those of the others."""
    column = name if re.fullmatch("[A-Za-z][A-Za-z]*", name) else identifier(name)
    good = [value for value, _, is_undone in found if not is_undone]
    texts = [literal(value) for value in good if value is not None]
    is_empty = None in good
    if not good or len(texts) > _SHOWN:
        bad = ", ".join(literal(value) for value, _, is_undone in found if is_undone)
        return f"({column} NOT IN ({bad}) OR {column} IS NULL)"
    parts = [f"{column} = {texts[0]}" if len(texts) == 1 else f"{column} IN ({', '.join(texts)})"]
    parts = parts * bool(texts) + [f"{column} IS NULL"] * is_empty
    condition = " OR ".join(parts)
    return f"({condition})" if len(parts) > 1 or condition.startswith('"') else condition
