"""Find rows each of whose amounts is the sum of the other rows': of all, of a day, or of a currency."""

from collections.abc import Sequence

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.judged_rows import Judged
from pipelines.sources.batches import Rows
from pipelines.sql import literal


def amounts_of(contract: Contract, rows: Rows) -> list[str]:
    """Return the columns whose sums tell: amounts, and what adds up beside them; none where there is no amount."""
    money = [
        name for name, each in contract.columns.items() if each.is_money and name in rows.columns
    ]
    others = [name for name in contract.adds if name in rows.columns and name not in money]
    return [*money, *others] if money else []


def summing(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    ordinals: Sequence[int],
    amounts: Sequence[str],
    says_total: str,
    are_good: bool = False,
) -> list[int]:
    """Return those of the rows whose amounts are sums of the rows that are none of them, nor say `Total`.

    Of rows that `are_good` several amounts must be, or one that is the sum of several rows: two rows of
    the same amount are no total of each other.
    """
    if not ordinals:
        return []
    listed = ", ".join(map(str, ordinals))
    relation = judged.rows if are_good else judged.bad
    values = ", ".join(f"TRY_CAST({name} AS DECIMAL(38, 6)) AS {name}" for name in amounts)
    sums = ", ".join(f"SUM({name}) AS {name}" for name in amounts)
    first, *more = amounts
    alike = [f"rows.{first} = sums.{first}"]
    alike += [f"(rows.{name} IS NULL OR rows.{name} = sums.{name})" for name in more]
    amounts_there = " + ".join(f"COALESCE(rows.{name} <> 0, FALSE)::INT" for name in amounts)
    is_there = f"{amounts_there} > 0"
    if are_good:
        is_there += f" AND (parts > 1 OR {amounts_there} > 1)"
    found = connection.execute(
        f"""
        WITH others AS (
          SELECT {_day(judged.contract)} AS day, {_currency(judged.contract)} AS currency, {values}
          FROM {judged.everything} AS all_rows
          WHERE reason IS NULL AND ordinal NOT IN ({listed}) AND NOT ({says_total})
        ), sums AS (
          SELECT day, currency, GROUPING(day) = 1 AS of_any_day, GROUPING(currency) = 1 AS of_any_currency,
          COUNT(*) AS parts, {sums}
          FROM others GROUP BY GROUPING SETS ((), (day), (currency), (day, currency))
        ), rows AS (
          SELECT ordinal, {_day(judged.contract)} AS day, {_currency(judged.contract)} AS currency, {values}
          FROM {relation} AS all_rows WHERE ordinal IN ({listed})
        )
        SELECT DISTINCT ordinal FROM rows JOIN sums
        ON (of_any_day OR rows.day = sums.day) AND (of_any_currency OR rows.currency = sums.currency)
        AND {" AND ".join(alike)} WHERE {is_there} ORDER BY ordinal"""
    ).fetchall()
    return [ordinal for (ordinal,) in found]


def _day(contract: Contract) -> str:
    """Return SQL for the day of a row; what has none is of one day."""
    dated = contract.dated_by[-1:]
    return f"LEFT(all_rows.{dated[0]}, 10)" if dated else literal("")


def _currency(contract: Contract) -> str:
    return "all_rows.currency" if "currency" in contract.columns else literal("")
