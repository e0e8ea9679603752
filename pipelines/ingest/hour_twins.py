"""Hold a delivery that has by the hour what is known by the day, or the other way round.

Each hour of a day is a row of its own, and together they are the day. A row of the whole day beside
them would count it twice; so such a delivery waits for a person's word: `make accept`.
"""

import duckdb

from pipelines.ingest import acceptance
from pipelines.ingest.day_keys import bare_key_of, has_hour
from pipelines.ingest.deletions import EXAMPLES, Held
from pipelines.ingest.key_twins import waiting_for
from pipelines.ingest.pending import Round
from pipelines.ingest.table import Table


def judge(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> None:
    """Raise Held if days come both with and without hours."""
    contract = table.delivery.contract
    days = [name for name in contract.identity if contract.columns[name].type == "date"]
    if len(days) != 1 or len(contract.identity) < 2 or table.delivery.mode != "increment":
        return
    (day,) = days
    hours = [f"delivered WHERE {has_hour(day)}"]
    if table.is_stored:
        hours.append(f"{table.stored} AS log WHERE {has_hour(day)}")
    if not any(connection.execute(f"SELECT 1 FROM {each} LIMIT 1").fetchall() for each in hours):
        return
    found = connection.execute(_found(table, day)).fetchall()
    if not found:
        return
    examples = [f"{on} by the {'hour' if by_hour else 'day'}" for on, by_hour, _ in found]
    waiting = waiting_for(connection, table, round_, len(found), examples[:EXAMPLES])
    if not acceptance.is_accepted(table.client.id, table.log.source, waiting):
        on, by_hour, file = found[0]
        batch = next(each for each in round_.batches if each.name == file)
        confirm = f"make accept CLIENT={table.client.id} SOURCE={table.log.source}"
        comes, other = ("hour", "day") if by_hour else ("day", "hour")
        raise Held(
            f"{on} comes by the {comes} and is there by the {other}, too ({len(found)} such days of a campaign or an"
            f" ad): it would count twice. Deliver them by the {other} as before, or take those loads back first (make withdraw"
            f" CLIENT={table.client.id} LOAD=); or, if both count, confirm it: {confirm}",
            batch,
            waiting,
            [],
        )


def _found(table: Table, day: str) -> str:
    """Return SQL for the days, of a campaign or an ad, that come in one way and are there in the other."""
    columns = (
        f"{day} AS day, {bare_key_of(table.delivery.contract)} AS bare, {has_hour(day)} AS by_hour"
    )
    columns += f", STRLEN({day}) <= 10 AS by_day"
    stored = "SELECT NULL AS bare, FALSE AS by_hour, FALSE AS by_day WHERE FALSE"
    if table.is_stored:
        newest = f"""(FROM {table.stored} AS log QUALIFY ROW_NUMBER() OVER (
          PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1)"""
        stored = f"SELECT {columns} FROM {newest} WHERE NOT is_deleted"
    return f"""
      WITH came AS (
        SELECT {columns}, export_file FROM delivered WHERE reason IS NULL AND NOT is_deleted
      ), there AS (
        SELECT bare, BOOL_OR(by_hour) AS by_hour, BOOL_OR(by_day) AS by_day FROM (
          SELECT bare, by_hour, by_day FROM came UNION ALL SELECT bare, by_hour, by_day FROM ({stored})
        ) GROUP BY bare
      )
      SELECT MIN(LEFT(day, 10)) AS first_day, BOOL_OR(came.by_hour) AS comes_by_hour, MIN(export_file)
      FROM came JOIN there USING (bare)
      WHERE came.by_hour AND there.by_day OR came.by_day AND there.by_hour
      GROUP BY bare ORDER BY first_day"""
