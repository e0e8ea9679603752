"""Take an id for one, whether it is written as 12 or as 12.0.

A program that keeps a column with gaps as binary numbers, as pandas does, writes 12 as 12.0. Were
these two, a day that such a file restates would count twice. So an id keeps the form that the lake
has of it. One that the lake does not have is read as 12, unless the lake writes the column's other
ids with decimals: then it stays as it was delivered, as they did.

A lake of an older version may have rows of both forms. Once they come again, 12 stays, and the row
of 12.0 is deleted. Whoever it is, a customer or a contact, staging has it as 12 in any case: so do
tables whose rows never come again.
"""

from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.contracts.salesforce_ids import whole_id
from pipelines.ingest.day_keys import key_of
from pipelines.ingest.number_like import number_like
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch
from pipelines.sql import literal, only_row

_WHOLE = "[0-9]+"
_DECIMAL = "[0-9]+([.]0+|,00?)"
_EXPONENT = "[0-9][.][0-9]+[eE][+]?[0-9]{1,2}"  # refused today: older versions loaded some


class Forms(NamedTuple):
    """The columns in which an id is read in another form than it was delivered in, and what is said of it."""

    columns: list[str] = []
    notes: list[str] = []


def one_form(
    connection: duckdb.DuckDBPyConnection, table: Table, batches: list[Batch], files: list[Path]
) -> Forms:
    """Make `id_forms`, which form is kept of each id in `delivered`: `of_column`, `delivered_as`, `kept_as`.

    The rows of `delivered` are in the `files`.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE id_forms (of_column TEXT, delivered_as TEXT, kept_as TEXT)"
    )
    columns, notes = [], []
    ids = number_like(connection, files, _ids(table.delivery.contract))
    for name in _in_question(connection, table, ids):
        stored = f"SELECT {name} FROM {table.stored} AS log" if _has(table, name) else ""
        connection.execute(_FORMS.format(
            name=name,
            delivered=_whole(name),
            stored=_whole_in_lake(name),
            is_number=f"REGEXP_FULL_MATCH({name}, '{_WHOLE}|{_DECIMAL}')",
            lake=stored or f"SELECT NULL::TEXT AS {name} WHERE FALSE",
        ))  # fmt: skip
        found = _notes(connection, name, batches)
        columns += [name] if found else []
        is_somebody = table.delivery.contract.columns[name].is_somebody
        is_matched = is_somebody or table.log.source == "salesforce"  # staging has it as 12
        notes += found or ([] if is_matched else _untold(connection, name, batches))
    return Forms(columns, notes)


def kept(name: str) -> str:
    """Return SQL for an id in the form that is kept of it."""
    found = f"SELECT kept_as FROM id_forms WHERE of_column = '{name}' AND delivered_as = {name}"
    return f"COALESCE(({found}), {name})"


def rename(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add to those that are `renamed` the rows of 12.0 in the lake that come as 12 now."""
    ids = [name for name in _ids(table.delivery.contract) if _has(table, name)]
    if not ids or not connection.execute("FROM id_forms LIMIT 1").fetchall():
        return
    key = _key(table.delivery.contract)
    one_form = ", ".join(f"{_whole_in_lake(name)} AS {name}" for name in ids)
    connection.execute(
        f"""INSERT INTO renamed SELECT row_key FROM (
          SELECT * EXCLUDE by_text, {key} AS one_key FROM (
            SELECT * REPLACE ({one_form}) FROM (
              SELECT *, {key} AS by_text FROM {table.stored} AS log
              WHERE {" OR ".join(map(_is_decimal_in_lake, ids))}
            ) WHERE by_text = row_key
          )
        ) WHERE one_key IN (SELECT row_key FROM delivered WHERE reason IS NULL)
        AND row_key NOT IN (SELECT row_key FROM delivered WHERE reason IS NULL)
        GROUP BY row_key HAVING NOT ARG_MAX(is_deleted, (loaded_at, ordinal))"""
    )


# Of one column: of each id that is a number, in any form, the one that is kept.
_FORMS = """
INSERT INTO id_forms
WITH came AS (
  SELECT DISTINCT {name} AS form, {delivered} AS id FROM delivered WHERE {is_number}
), had AS (
  SELECT DISTINCT {name} AS form, {stored} AS id FROM ({lake}) WHERE {stored} IN (SELECT id FROM came)
), newest AS (
  SELECT id, ARG_MIN(form, (form <> id, form)) AS form FROM had GROUP BY id
), habit AS (
  SELECT COALESCE(BOOL_OR({name} <> {stored}), FALSE) AS has_decimals FROM ({lake})
)
SELECT '{name}', came.form, COALESCE(
  newest.form,
  IF(has_decimals AND COUNT(*) OVER (PARTITION BY came.id) = 1, came.form, came.id)
)
FROM came LEFT JOIN newest USING (id) CROSS JOIN habit
"""


def _in_question(connection: duckdb.DuckDBPyConnection, table: Table, ids: list[str]) -> list[str]:
    """Return the columns of ids that have decimals: here, or in the lake where numbers are delivered."""
    if not ids:
        return []
    seen = ", ".join(
        f"COALESCE(BOOL_OR({_is_decimal(name)}), FALSE),"
        f" COALESCE(BOOL_OR({_has(table, name)} AND {_is_whole(name)}), FALSE)"
        for name in ids
    )
    found = only_row(connection.execute(f"SELECT {seen} FROM delivered"))
    decimal = {name for name, has_some in zip(ids, found[::2]) if has_some}
    whole = [name for name, has_some in zip(ids, found[1::2]) if has_some]
    if asked := [name for name in whole if name not in decimal]:
        seen = ", ".join(f"COALESCE(BOOL_OR({_is_decimal_in_lake(name)}), FALSE)" for name in asked)
        found = only_row(connection.execute(f"SELECT {seen} FROM {table.stored} AS log"))
        decimal |= {name for name, has_some in zip(asked, found) if has_some}
    return [name for name in ids if name in decimal]


def _notes(connection: duckdb.DuckDBPyConnection, name: str, batches: list[Batch]) -> list[str]:
    """Say which ids of a column are read in another form than they were delivered in."""
    found = connection.execute(
        f"""SELECT COUNT(*), MIN(export_file), UNNEST(MIN((delivered_as, kept_as)))
        FROM delivered JOIN id_forms ON of_column = '{name}' AND delivered_as = {name}
        WHERE delivered_as <> kept_as GROUP BY LENGTH(delivered_as) < LENGTH(kept_as) ORDER BY ALL"""
    ).fetchall()
    return [
        f"{_shown(batches, file)}: {name} of {_rows(count)} is written '{came}': it is read as"
        f" '{kept_as}', which is one id with it; export it in one form, as whole numbers or as text"
        for count, file, came, kept_as in found
    ]


def _untold(connection: duckdb.DuckDBPyConnection, name: str, batches: list[Batch]) -> list[str]:
    """Say that the ids of a column stay with decimals, as those in the lake have them."""
    count, file, example = only_row(
        connection.execute(
            f"SELECT COUNT(*), MIN(export_file), MIN({name}) FROM delivered WHERE {_is_decimal(name)}"
        )
    )
    if not count:
        return []
    return [
        f"{_shown(batches, file)}: {name} of {_rows(count)} is a number with decimals, as '{example}', like"
        f" those that were loaded before: where the export of another table has '{_plain(example)}', they are"
        " two; export it as text, or as whole numbers"
    ]


def _shown(batches: list[Batch], name: str) -> str:
    return next(batch.shown for batch in batches if batch.name == name)


def _rows(count: int) -> str:
    return f"{count} {'row' if count == 1 else 'rows'}"


def _plain(example: str) -> str:
    return example.replace(",", ".").partition(".")[0]


def _ids(contract: Contract) -> list[str]:
    return [name for name in contract.columns if name.endswith("_id")]


def _has(table: Table, name: str) -> bool:
    return table.is_stored and name in table.columns


def _key(contract: Contract) -> str:
    return key_of(contract) if len(contract.identity) > 1 else whole_id(contract.identity[0])


def _is_decimal(name: str) -> str:
    """Return SQL for whether an id has decimals; few texts begin and end as those do."""
    is_so = f"REGEXP_FULL_MATCH({name}, {literal(_DECIMAL)})"
    return f"({name} < ':' AND ENDS_WITH({name}, '0') AND {is_so})"


def _is_whole(name: str) -> str:
    return f"({name} < ':' AND REGEXP_FULL_MATCH({name}, '{_WHOLE}'))"


def _is_decimal_in_lake(name: str) -> str:
    is_exponent = f"CONTAINS({name}, '.') AND REGEXP_FULL_MATCH({name}, '{_EXPONENT}')"
    whole = (
        f"TRY_CAST(TRY_CAST({name} AS DECIMAL(38, 0)) AS DECIMAL(38, 12))"  # NULL where too large
    )
    is_whole = f"TRY_CAST({name} AS DECIMAL(38, 12)) = {whole}"
    return f"COALESCE({_is_decimal(name)} OR ({is_exponent} AND {is_whole}), FALSE)"


def _whole(name: str) -> str:
    return f"REGEXP_REPLACE({name}, '[.,]0+$', '')"


def _whole_in_lake(name: str) -> str:
    """Return SQL for an id without decimals, if it has some that say nothing; else for the id as it is."""
    return f"""CASE WHEN NOT {_is_decimal_in_lake(name)} THEN {name}
      WHEN {_is_decimal(name)} THEN {_whole(name)}
      ELSE TRY_CAST({name} AS DECIMAL(38, 0))::TEXT END"""
