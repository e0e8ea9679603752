"""Hold an increment whose keys differ from known ones only in capitals or leading zeros: 012 and 12.

A spreadsheet writes 012 as 12, and an export may begin to write ids in small letters. A day that such
a file restates would count twice, so it waits for a person's word: `make accept`. Ids that one file
has in both forms are two, and so are those of which both forms have been taken before.
"""

import hashlib
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest import acceptance
from pipelines.ingest.acceptance import Waiting
from pipelines.ingest.day_keys import key_of
from pipelines.ingest.deletions import EXAMPLES, Held
from pipelines.ingest.pending import Round
from pipelines.ingest.table import Table
from pipelines.sql import only_row


class _Twin(NamedTuple):
    """A key that comes in another form than it is known in: how many rows, and an example."""

    rows: int
    file: str
    column: str
    came: str
    had: str
    is_known: bool


def judge(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> list[str]:
    """Raise Held if keys come in another form; return what is said of those that are known in both."""
    ids = [name for name in table.delivery.contract.identity if name.endswith("_id")]
    is_alone = len(round_.batches) < 2 and not table.is_stored
    if table.delivery.mode != "increment" or table.delivery.merge or not ids or is_alone:
        return []
    if not _have_several_forms(connection, table, ids):
        return []
    found = _twins(connection, table, ids)
    fresh = [twin for twin in found if not twin.is_known]
    if fresh and not acceptance.is_accepted(
        table.client.id, table.log.source, waiting := _waiting(connection, table, round_, fresh)
    ):
        batch = next(each for each in round_.batches if each.name == fresh[0].file)
        raise Held(_reason(table, fresh), batch, waiting, [])
    return [
        f"{table.name}: {_said(twin)}; both are loaded, so they count as two"
        for twin in found
        if twin.is_known
    ]


def _said(twin: _Twin) -> str:
    how = "capitals" if twin.came.lower() == twin.had.lower() else "leading zeros"
    rows = "1 row has a key" if twin.rows == 1 else f"{twin.rows} rows have keys"
    differs = "differs" if twin.rows == 1 else "differ"
    return f"{rows} that {differs} from another only in {how} of {twin.column}, such as '{twin.came}' and '{twin.had}'"


def _reason(table: Table, fresh: list[_Twin]) -> str:
    twin = fresh[0]
    confirm = f"make accept CLIENT={table.client.id} SOURCE={table.log.source}"
    others = f" ({len(fresh) - 1} more ids)" if len(fresh) > 1 else ""
    return (
        f"{_said(twin)}{others}: if they are one, its days would count twice. Export {twin.column} as text, as it"
        f" was: '{twin.had}'; or, if they are two, confirm it: {confirm}"
    )


def _waiting(
    connection: duckdb.DuckDBPyConnection, table: Table, round_: Round, fresh: list[_Twin]
) -> Waiting:
    examples = [f"{twin.column} {twin.came} beside {twin.had}" for twin in fresh[:EXAMPLES]]
    return waiting_for(connection, table, round_, sum(twin.rows for twin in fresh), examples)


def waiting_for(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    round_: Round,
    rows: int,
    examples: list[str],
) -> Waiting:
    """Return what waits: the content of a round, which adds so many rows to those that are known."""
    content = "\n".join(sorted(batch.fingerprint for batch in round_.batches))
    before = 0
    if table.is_stored:
        query = f"SELECT COUNT(DISTINCT row_key) FROM {table.stored} AS log"
        before = only_row(connection.execute(query))[0]
    return Waiting(
        table.name,
        ", ".join(batch.shown for batch in round_.batches),
        hashlib.sha256(content.encode()).hexdigest(),
        table.log.loaded(table.name).last_load,
        before,
        before + rows,
        0,
        examples,
    )


def _have_several_forms(
    connection: duckdb.DuckDBPyConnection, table: Table, ids: list[str]
) -> bool:
    """Keep in `many_forms` the tags of ids that come in several forms; return whether there are any."""
    connection.execute("CREATE OR REPLACE TEMP TABLE many_forms (tag UBIGINT)")
    for name in ids:
        forms = f"SELECT HASH({_plain(name)}) AS tag, HASH({name}) AS form FROM"
        known = "FROM came"
        if table.is_stored:
            known += f" UNION ALL {forms} {table.stored} AS log WHERE tag IN (SELECT tag FROM came)"
        connection.execute(
            f"""INSERT INTO many_forms
            WITH came AS ({forms} delivered WHERE reason IS NULL AND {name} IS NOT NULL)
            SELECT tag FROM ({known})
            GROUP BY tag HAVING MIN(form) <> MAX(form)"""
        )
    return bool(connection.execute("FROM many_forms LIMIT 1").fetchall())


def _twins(connection: duckdb.DuckDBPyConnection, table: Table, ids: list[str]) -> list[_Twin]:
    """Return the keys that come in another form than another file has them in, by id."""
    came = "delivered WHERE reason IS NULL AND NOT is_deleted"
    had = f"{table.stored} AS log WHERE TRUE" if table.is_stored else f"{came} AND FALSE"
    contract = table.delivery.contract
    for name, rows in {"came_keys": came, "had_keys": had}.items():
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS {_plain_keys(contract, ids, rows)}"
        )
    found = connection.execute(_FOUND).fetchall()
    return [
        _Twin(rows, file, ids[place - 1], came_as, had_as, is_known)
        for rows, file, place, came_as, had_as, is_known in found
    ]


def _plain_keys(contract: Contract, ids: list[str], rows: str) -> str:
    """Return a query for the rows with an id of several forms: their key, and the one of plain ids."""
    plain = ", ".join(f"{_plain(name)} AS {name}" for name in ids)
    key = key_of(contract) if len(contract.identity) > 1 else _plain("row_key")
    has_several = " OR ".join(f"HASH({_plain(name)}) IN (FROM many_forms)" for name in ids)
    return f"""
      SELECT DISTINCT row_key, export_file, ids, {key} AS plain_key FROM (
        SELECT * REPLACE ({plain}) FROM (
          SELECT *, [{", ".join(ids)}] AS ids FROM {rows} AND ({has_several})
        )
      )"""


def _plain(name: str) -> str:
    """Return SQL for an id without what a spreadsheet or a database may change of it."""
    return f"LOWER(LTRIM({name}, '0'))"


# The place of the first id in which two keys differ, and its forms.
_PLACE = """LIST_POSITION(
    LIST_TRANSFORM(LIST_ZIP(came.ids, had.ids), lambda pair: pair[1] IS DISTINCT FROM pair[2]), TRUE
  ) AS place, came.ids[place] AS came_as, had.ids[place] AS had_as"""

# Of new keys alone: one that is known in its very form restates its own row. Of files that come
# together, the later one by name has the other form.
_FOUND = f"""
WITH pairs AS (
  SELECT came.row_key, came.export_file, {_PLACE}
  FROM came_keys AS came JOIN (
    SELECT *, '' AS file FROM had_keys UNION ALL SELECT *, export_file AS file FROM came_keys
  ) AS had
  ON came.plain_key = had.plain_key AND came.row_key <> had.row_key
  AND came.export_file > had.file
  WHERE came.row_key NOT IN (SELECT row_key FROM had_keys)
), taken AS (
  SELECT {_PLACE} FROM had_keys AS came JOIN had_keys AS had
  ON came.plain_key = had.plain_key AND came.row_key <> had.row_key
), own_forms AS (
  SELECT export_file, UNNEST(ids) AS had_as FROM came_keys
)
SELECT COUNT(DISTINCT row_key), MIN(export_file), place, came_as, had_as,
(place, came_as, had_as) IN (SELECT (place, came_as, had_as) FROM taken) AS is_known
FROM pairs ANTI JOIN own_forms USING (export_file, had_as)
GROUP BY place, came_as, had_as, is_known ORDER BY COUNT(DISTINCT row_key) DESC, came_as
"""
