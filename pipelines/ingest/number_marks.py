"""Find out how a batch writes its numbers, from all of them together.

`1.250` alone is 1250 in one country, and one and a quarter in another. Another number of the export
decides: `3.5` and `0.125` have decimals, `12.345` clicks have none. Where none does, somebody has to
say it; so a column is never read in two ways.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Column, Contract
from pipelines.settings.client import Client
from pipelines.settings.currencies import minor_digits
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Remedy
from pipelines.sources.numbers import ANY, EITHER, OTHERS, PLAIN, POINTS, Reading, fits, setting
from pipelines.sql import literal, only_row

_CANDIDATES = (PLAIN, *OTHERS)
_FEW = 100  # of as many numbers one may be beyond reading: it was typed by hand


class Marks(NamedTuple):
    """How the numbers of a batch may be read: `examples` are some by column that plain reading
    refuses, `in_two_ways` are some that it takes and that may be thousands as well."""

    possible: list[Numbers]
    examples: dict[str, list[str]]
    in_two_ways: dict[str, list[str]]

    @property
    def is_other(self) -> bool:
        """Return whether all numbers can be read, but not as they are without a setting."""
        return PLAIN not in self.possible and bool(self.possible)

    @property
    def is_unsure(self) -> bool:
        """Return whether they are plain numbers, or thousands."""
        return PLAIN in self.possible and POINTS in self.possible and bool(self.in_two_ways)

    def remedies(self) -> list[Remedy]:
        """Return the setting that would read the numbers; several, if it is not sure which."""
        if self.is_unsure:
            value = next(iter(self.in_two_ways.values()))[0]
            return _alternatives(value, [POINTS, PLAIN])
        if not self.is_other:
            return []
        values = [value for found in self.examples.values() for value in found]
        marked = next((value for value in values if set(value) & set(".,")), "")
        by_decimal = {each.decimal: each for each in reversed(self.possible)}
        if len(by_decimal) > 1 and marked:
            return _alternatives(marked, sorted(by_decimal.values(), key=self.possible.index))
        return [Remedy(setting(self.possible[0]))]


def marks(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    client: Client,
    reading: Reading,
    rows: str,
    compared: Mapping[str, str],
    open_: Iterable[str] = (),
) -> Marks:
    """Return how the numbers of some rows may be read, where no setting says it.

    What is `compared` by `where:` are numbers, too: by what they are called, relations of a column
    `number`. The columns that are `open_` hold texts that may be read in two ways.
    """
    count, missed = 0, dict.fromkeys(_CANDIDATES, 0)
    examples, thousands = {}, {}
    surveys = {
        name: _survey(
            name,
            column,
            _has_three_decimals(contract.columns, client) if column.is_money else "FALSE",
            rows,
        )
        for name, column in _numbers(contract, reading).items()
    }
    if not reading.numbers:
        decimal = _has_three_decimals((), client)
        surveys |= {
            name: _survey("number", ANY, decimal, relation) for name, relation in compared.items()
        }
    for name, query in surveys.items():
        there, ill_written, in_two_ways, *misses = only_row(connection.execute(query))
        count += there
        missed = {each: missed[each] + more for each, more in zip(_CANDIDATES, misses)}
        if ill_written:
            examples[name] = ill_written
        if name in open_ and in_two_ways:
            thousands[name] = in_two_ways
    return Marks(_possible(count, missed), examples, thousands)


def _possible(count: int, missed: dict[Numbers, int]) -> list[Numbers]:
    """Return the readings that read all numbers; or, if none does, those that read nearly all."""
    few = [each for each in _CANDIDATES if missed[each] <= count // _FEW]
    return [each for each in _CANDIDATES if not missed[each]] or few * (PLAIN not in few)


def either(contract: Contract, reading: Reading) -> dict[str, str]:
    """Return, by column, SQL for whether a value may be read in two ways; rates have decimals."""
    return {
        name: f"REGEXP_FULL_MATCH({name}, {literal(EITHER)})"
        for name, column in _numbers(contract, reading).items()
        if column.is_money or column.type == "integer"
    }


def decides(
    connection: duckdb.DuckDBPyConnection, contract: Contract, reading: Reading, rows: str
) -> bool:
    """Return whether some rows have a number whose point can only begin its decimals: 3.5, 0.125."""
    decimals = [
        f"({fits(name, column, PLAIN)} AND NOT {fits(name, column, POINTS)})"
        for name, column in _numbers(contract, reading).items()
    ]
    if not decimals:
        return False
    query = f"SELECT 1 FROM {rows} AS numbers WHERE {' OR '.join(decimals)} LIMIT 1"
    return bool(connection.execute(query).fetchall())


def _numbers(contract: Contract, reading: Reading) -> dict[str, Column]:
    """Return the columns of numbers of whose marks no setting says anything."""
    return {
        name: column
        for name, column in contract.columns.items()
        if column.is_number and not reading.changes(column, name)
    }


def _survey(name: str, column: Column, has_three_decimals: str, rows: str) -> str:
    """Return SQL for how many numbers of a column each candidate cannot read, and for examples."""
    is_either = f"REGEXP_FULL_MATCH({name}, {literal(EITHER)})"
    misses = []
    for each in _CANDIDATES:
        missed = f"NOT {fits(name, column, each)}"
        if each == POINTS and has_three_decimals != "FALSE":
            missed = f"({missed} OR ({is_either} AND {has_three_decimals}))"
        misses.append(f"COUNT(*) FILTER ({missed})")
    shown = [
        f"ARG_MIN({name}, ordinal, 3) FILTER ({condition})"
        for condition in (f"NOT {fits(name, column, PLAIN)}", is_either)
    ]
    is_number = " OR ".join(fits(name, column, each) for each in _CANDIDATES)
    return f"SELECT COUNT(*), {', '.join(shown + misses)} FROM {rows} AS numbers WHERE {is_number}"


def _has_three_decimals(columns: Collection[str], client: Client) -> str:
    """Return SQL for whether a row's currency has three decimals: in BHD, 1.250 is no thousand."""
    own = literal(client.currency)
    currency = f"COALESCE(currency, {own})" if "currency" in columns else own
    three = [literal(code) for code, digits in minor_digits().items() if digits > 2]
    return f"{currency} IN ({', '.join(three)})"


def _alternatives(value: str, choices: list[Numbers]) -> list[Remedy]:
    """Return a setting for each way of reading a value, with what it then is."""
    return [Remedy(setting(each), meaning=f"'{value}' is {_read(value, each)}") for each in choices]


def _read(value: str, numbers: Numbers) -> str:
    """Return a number as a reading takes it: `1.250` is 1250 to one, 1.250 to another."""
    return value.replace(numbers.thousands or "", "").replace(numbers.decimal, ".")
