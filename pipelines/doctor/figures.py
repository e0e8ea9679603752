"""Show what a proposed export would bring in: rows as they would be staged, and sums per month."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from pipelines.contracts.contract import SQL_TYPES, Contract
from pipelines.ingest.trial import Tried
from pipelines.settings.client import Client
from pipelines.sql import literal

SAMPLE = 3  # rows
_FEW = 3  # months in a line

# What is held against a platform's own page, by table: a name, and its SQL.
_MONEY = "SUM(COALESCE(TRY_CAST({} AS DECIMAL(38, 6)), 0))"
_COUNT = "SUM(TRY_CAST({} AS BIGINT))"
_WON = "COALESCE(TRY_CAST(is_won AS BOOLEAN), FALSE)"
_MEASURES: dict[str, dict[str, str]] = {
    "spend": {
        "spend": _MONEY.format("cost"),
        "clicks": _COUNT.format("clicks"),
        "impressions": _COUNT.format("impressions"),
    },
    "conversions": {"conversions": "COUNT(*)", "revenue": _MONEY.format("revenue")},
    "sessions": {"sessions": "COUNT(*)"},
    "opportunities": {
        "won deals": f"COUNT(*) FILTER ({_WON})",
        "revenue": f"{_MONEY.format('amount')} FILTER ({_WON})",
    },
    "events": {
        "events": "COUNT(*)",
        "purchases": "COUNT(*) FILTER (event_type = 'purchase')",
        "revenue": f"{_MONEY.format('revenue')} FILTER (event_type = 'purchase')",
    },
}
_DATED = {"opportunities": f"IF({_WON}, closed_at, NULL)"}
_OFFSET = r".*:[0-9]{2}([.][0-9]+)? *(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$"


class Figures(NamedTuple):
    """What a table would hold: its columns, some rows, and by month and currency what it measures."""

    columns: list[str]
    sample: list[tuple]
    measures: list[str]
    months: list[tuple]

    @property
    def money(self) -> list[str]:
        """Return the measures that are amounts of the month's currency."""
        return [name for name in self.measures if name in ("spend", "revenue")]


def figures(client: Client, table: str, contract: Contract, done: Tried) -> Figures:
    """Return what was read of a table: all its rows are in the sums, bad ones and deleted ones in none."""
    measures = _MEASURES.get(table, {"rows": "COUNT(*)"})
    if not done.rows:
        return Figures([*contract.columns], [], [*measures], [])
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = ", ".join(literal(str(file)) for file in done.rows)
        good = f"(FROM read_parquet([{files}], union_by_name = true))"
        there = [name for name, *_ in connection.execute(f"DESCRIBE {good}").fetchall()]
        is_bad = "reason IS NULL AND" if "reason" in there else ""
        newest = f"""(FROM {good} WHERE {is_bad} NOT is_deleted
          QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal DESC) = 1)"""
        columns = [name for name in contract.columns if name in there]
        sample = connection.execute(
            f"SELECT {', '.join(_staged(name, contract, client) for name in columns)}"
            f" FROM {newest} ORDER BY ordinal LIMIT {SAMPLE}"
        ).fetchall()
        own = literal(client.currency)
        money = f"COALESCE(currency, {own})" if "currency" in columns else "''"
        months = connection.execute(
            f"""SELECT {_month(table, contract, client)} AS month, {money} AS currency, {", ".join(measures.values())}
            FROM {newest} GROUP BY ALL ORDER BY month NULLS FIRST, currency"""
        ).fetchall()
    months = [row for row in months if any(row[2:])]  # of deals that are open there is nothing
    return Figures(columns, sample, list(measures), months)


def _staged(name: str, contract: Contract, client: Client) -> str:
    """Return SQL for a value as staging has it, as a text: times in UTC, amounts without noise."""
    kind = contract.columns[name].type
    if kind == "timestamp":
        zone = literal(client.timezone)
        own = f"TRY_CAST({name} AS TIMESTAMP) AT TIME ZONE {zone}"
        moment = (
            f"IF(REGEXP_FULL_MATCH({name}, '{_OFFSET}'), TRY_CAST({name} AS TIMESTAMPTZ), {own})"
        )
        shown = f"STRFTIME({moment} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S')"
        return f"IF(CONTAINS({name}, ':'), {shown}, {name})"
    if kind == "money":
        return f"REGEXP_REPLACE(TRY_CAST({name} AS DECIMAL(18, 6))::TEXT, '([.][0-9]{{2}}[0-9]*?)0*$', '\\1')"
    return f"TRY_CAST({name} AS {SQL_TYPES[kind]})::TEXT"


def _month(table: str, contract: Contract, client: Client) -> str:
    """Return SQL for the month of a row, in the client's time zone; NULL where it has no day."""
    if not contract.dated_by:
        return "NULL"
    written = _DATED.get(table, contract.dated_by[0])
    zone = literal(client.timezone)
    here = f"({written})::TIMESTAMPTZ AT TIME ZONE {zone}"
    return f"""STRFTIME(CASE WHEN REGEXP_FULL_MATCH({written}, '{_OFFSET}')
      THEN {here} ELSE TRY_CAST({written} AS TIMESTAMP) END, '%Y-%m')"""


def in_words(found: Figures) -> str:
    """Return the sums of the first months in a line: `2026-11 has spend 2.50 EUR, clicks 3`."""
    said = [f"{month or 'no month'} has {sums(found, row)}" for month, *row in found.months]
    others = f"; and {len(said) - _FEW} months more" if said[_FEW:] else ""
    return f"{'; '.join(said[:_FEW])}{others}" if said else "nothing"


def sums(found: Figures, row: Sequence[Any]) -> str:
    """Return the sums of a month, behind its currency, in words."""
    currency, *values = row
    return ", ".join(
        f"{name} {plainly(value)}{f' {currency}' * (name in found.money)}"
        for name, value in zip(found.measures, values)
        if value is not None
    )


def plainly(value: Any) -> str:
    """Return a figure as people read it: an amount with its cents."""
    if isinstance(value, Decimal):
        exact = value.quantize(Decimal("1e-6")).normalize()
        return f"{value:,.2f}" if exact == value.quantize(Decimal("0.01")) else f"{exact:,f}"
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
