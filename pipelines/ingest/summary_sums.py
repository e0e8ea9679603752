"""Find rows whose amounts are the sums of the others, to the last digit: by day, by campaign, or of a file.

One amount may be such a sum by chance. So what no word calls a sum has to be it in all that adds up,
and to lack something that the others have; or to be it on every day.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sql import only_row

_FINEST = ("ad_id", "ad_group_id", "account_id")


class Sums(NamedTuple):
    """Rows that seem to be sums of others: what is said of them, and whether they add up.

    `apart` are the columns by which they are told from the others: by words, or by none where it is empty.
    """

    said: str
    ordinals: list[int]
    is_sure: bool
    apart: Mapping[str, list[str]]


def adds_up(
    connection: duckdb.DuckDBPyConnection, contract: Contract, good: str, amount: str
) -> bool:
    """Return whether a row in `called_sums` has the sum of the others: of its day, or of the file."""
    value = f"TRY_CAST({amount} AS DECIMAL(38, 6))"
    day = _day(contract)
    query = f"""
      WITH amounts AS (
        SELECT {day} AS day, {value} AS amount, ordinal IN (SELECT ordinal FROM called_sums) AS is_sum
        FROM {good}
      ), others AS (
        SELECT day, SUM(amount) AS amount FROM amounts WHERE NOT is_sum GROUP BY ROLLUP (day)
      )
      SELECT 1 FROM amounts WHERE is_sum AND amount <> 0 AND amount IN (
        SELECT others.amount FROM others WHERE others.day = amounts.day OR others.day IS NULL
      ) LIMIT 1"""
    return bool(connection.execute(query).fetchall())


def sums_without_a_word(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivered: Collection[str],
    good: str,
    amounts: list[str],
) -> Sums | None:
    """Return rows that are sums of the others by all that adds up; None if there are none."""
    if contract.adds and "campaign_id" in contract.columns:
        found = _of_finer_rows(connection, contract, delivered, good, amounts)
        return found or _of_a_day(connection, good, amounts)
    return _of_all(connection, contract, delivered, good, amounts[0])


def _of_finer_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivered: Collection[str],
    good: str,
    amounts: list[str],
) -> Sums | None:
    """Return rows without an ad, an ad group or an account that have the sums of those with one."""
    levels = [name for name in _FINEST if name in delivered]
    for place, level in enumerate(levels):
        there = f"SELECT COUNT({level}), COUNT(*) - COUNT({level}) FROM {good}"
        if not all(only_row(connection.execute(there))):
            continue
        finer = [*levels[:place], level]
        keys = ", ".join(name for name in contract.identity if name not in finer)
        sums = ", ".join(
            f"ROUND(SUM(v{number}) FILTER (is_fine), 4) AS fine{number},"
            f" ROUND(SUM(v{number}) FILTER (NOT is_fine), 4) AS whole{number}"
            for number in range(len(amounts))
        )
        alike = " AND ".join(
            f"fine{number} IS NOT DISTINCT FROM whole{number}" for number in range(len(amounts))
        )
        found = connection.execute(
            f"""
            WITH compared AS (
              SELECT {sums}, COUNT(*) FILTER (is_fine) AS parts,
              LIST(ordinal) FILTER (NOT is_fine) AS ordinals FROM (
                SELECT {keys}, ordinal, {_values(amounts)}, {levels[0]} IS NOT NULL AS is_fine
                FROM {good} AS rows WHERE {level} IS NULL OR {levels[0]} IS NOT NULL
              ) GROUP BY {keys} HAVING parts > 0 AND LEN(ordinals) > 0
            )
            SELECT COUNT(*), COUNT(*) FILTER ({alike}), MAX(parts) FILTER ({alike} AND whole0 <> 0),
            FLATTEN(LIST(ordinals) FILTER ({alike})) FROM compared"""
        )
        groups, matches, parts, ordinals = only_row(found)
        if matches and 2 * matches > groups and ((parts or 0) > 1 or (parts and matches > 2)):
            said = f"without {level} there {_rows(ordinals)} whose {_listed(amounts)} are the sums of those with one"
            return Sums(said, sorted(ordinals), True, {level: []})
    return None


def _of_a_day(connection: duckdb.DuckDBPyConnection, good: str, amounts: list[str]) -> Sums | None:
    """Return the rows of a campaign that has the sums of all others, on each of its days."""
    if len(amounts) < 2:
        return None
    numbers = range(len(amounts))
    doubled = " AND ".join(
        f"ABS(2 * campaign.v{n} - day.v{n}) < 0.001 AND campaign.v{n} <> 0" for n in numbers
    )
    sums = ", ".join(f"ROUND(SUM(v{n}), 4) AS v{n}" for n in numbers)
    found = connection.execute(
        f"""
        WITH values AS (SELECT spend_date, campaign_id, {_values(amounts)} FROM {good}),
        campaign AS (
          SELECT spend_date, campaign_id, {sums} FROM values GROUP BY ALL
        ), day AS (
          SELECT spend_date, COUNT(*) FILTER (v0 <> 0) AS campaigns, {sums} FROM campaign GROUP BY ALL
        )
        SELECT campaign_id FROM campaign JOIN day USING (spend_date)
        GROUP BY campaign_id HAVING BOOL_AND(COALESCE({doubled}, FALSE)) AND MIN(campaigns) > 2 LIMIT 1"""
    ).fetchall()
    if not found:
        return None
    ((campaign,),) = found
    rows = f"SELECT ordinal FROM {good} WHERE campaign_id = ? ORDER BY ordinal"
    ordinals = [ordinal for (ordinal,) in connection.execute(rows, [campaign]).fetchall()]
    said = f"campaign_id '{campaign}' has on each day the {_listed(amounts)} of all others together"
    return Sums(said, ordinals, True, {"campaign_id": [campaign]})


def _of_all(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivered: Collection[str],
    good: str,
    amount: str,
) -> Sums | None:
    """Return the one row that has the amount of all others, and lacks what all of them have."""
    optional = [
        name
        for name, column in contract.columns.items()
        if column.is_somebody and name in delivered and name not in contract.identity
    ]
    for name in optional:
        total, count, ordinals, whole = only_row(
            connection.execute(
                f"""SELECT SUM(v0) FILTER ({name} IS NOT NULL), COUNT(*) FILTER ({name} IS NOT NULL AND v0 <> 0),
                LIST(ordinal) FILTER ({name} IS NULL AND v0 <> 0), SUM(v0) FILTER ({name} IS NULL)
                FROM (SELECT {name}, ordinal, {_values([amount])} FROM {good})"""
            )
        )
        if count > 2 and ordinals and len(ordinals) == 1 and abs(total - whole) < 0.001:
            said = f"the one row without {name} has the {amount} of all others together"
            return Sums(said, ordinals, True, {name: []})
    return None


def _values(amounts: list[str]) -> str:
    return ", ".join(
        f"TRY_CAST({name} AS DOUBLE) AS v{number}" for number, name in enumerate(amounts)
    )


def _day(contract: Contract) -> str:
    """Return SQL for the day of a row; what has none is of one day."""
    dated = contract.dated_by[-1:]
    return f"COALESCE(LEFT({dated[0]}, 10), '')" if dated else "''"


def _rows(ordinals: list[int]) -> str:
    return "is 1 row" if len(ordinals) == 1 else f"are {len(ordinals)} rows"


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
