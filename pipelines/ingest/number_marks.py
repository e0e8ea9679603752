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
from pipelines.sources.dressed_numbers import bare
from pipelines.sources.numbers import (
    ANY,
    EITHER,
    EITHER_MARK,
    OTHERS,
    PLAIN,
    POINTS,
    Reading,
    fits,
    setting,
)
from pipelines.sql import literal, only_row

_CANDIDATES = (PLAIN, *OTHERS)
_FEW = 100  # of as many numbers one may be beyond reading: it was typed by hand


class Marks(NamedTuple):
    """How the numbers of a batch may be read: `examples` are some by column that plain reading
    refuses, `in_two_ways` are some that may be thousands, or have decimals. A few may be left that
    none of what is possible reads. `by_mark` has an example of what only a decimal point reads, or a comma.
    """

    possible: list[Numbers]
    examples: dict[str, list[str]]
    in_two_ways: dict[str, list[str]]
    are_few_left: bool = False
    by_mark: dict[str, str] = {}

    @property
    def is_other(self) -> bool:
        """Return whether all numbers can be read, but not as they are without a setting."""
        return PLAIN not in self.possible and bool(self.possible)

    @property
    def is_unsure(self) -> bool:
        """Return whether some are thousands by one reading, and have decimals by another."""
        return len({each.decimal for each in self.possible}) > 1 and bool(self.in_two_ways)

    @property
    def contradiction(self) -> str:
        """Return what is to be said of numbers that are written in two ways."""
        if self.possible or len(self.by_mark) < 2:
            return ""
        point, comma = self.by_mark["."], self.by_mark[","]
        return f"a point stands before the decimals of '{point}', and a comma before those of '{comma}': write them in one way"

    @property
    def is_certain(self) -> bool:
        """Return whether all can be read, and in one way only."""
        return bool(self.possible) and not (self.are_few_left or self.is_unsure)

    def by_decimal(self, mark: str) -> Numbers | None:
        """Return the reading with a decimal mark, if one is possible."""
        return next((each for each in self.possible if each.decimal == mark), None)

    def remedies(self) -> list[Remedy]:
        """Return the setting that would read the numbers; several, if it is not sure which."""
        if self.is_unsure:
            value = next(iter(self.in_two_ways.values()))[0]
            choices = [each for mark in ",." if (each := self.by_decimal(mark))]
            return _alternatives(value, choices if "." in value else choices[::-1])
        return [Remedy(setting(self.possible[0]))] if self.is_other else []


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
    examples, thousands, by_mark = {}, {}, dict[str, str]()
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
        there, point, comma, ill_written, in_two_ways, *misses = only_row(connection.execute(query))
        by_mark |= {mark: seen for mark, seen in ((".", point), (",", comma)) if seen}
        count += there
        missed = {each: missed[each] + more for each, more in zip(_CANDIDATES, misses)}
        if ill_written:
            examples[name] = ill_written
        if name in open_ and in_two_ways:
            thousands[name] = in_two_ways
    if possible := [each for each in _CANDIDATES if not missed[each]]:
        return Marks(possible, examples, thousands)
    few = [each for each in _CANDIDATES if missed[each] <= count // _FEW]
    return Marks(few * (PLAIN not in few), examples, thousands, True, by_mark)


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
    """Return the columns of numbers of whose marks neither a setting nor their type says anything."""
    columns = {} if reading.numbers else contract.columns
    return {
        name: column
        for name, column in columns.items()
        if column.is_number and name not in reading.typed
    }


def _survey(name: str, column: Column, has_three_decimals: str, rows: str) -> str:
    """Return SQL for how many numbers of a column each candidate cannot read, and for examples."""
    is_either = f"REGEXP_FULL_MATCH(bared, {literal(EITHER_MARK)})"
    misses = []
    for each in _CANDIDATES:
        missed = f"NOT {fits('bared', column, each)}"
        if each == POINTS and has_three_decimals != "FALSE":
            missed = f"({missed} OR ({is_either} AND {has_three_decimals}))"
        misses.append(f"COUNT(*) FILTER ({missed})")
    shown = [
        f"ARG_MIN({name}, ordinal, 3) FILTER ({condition})"
        for condition in (f"NOT {fits(name, column, PLAIN)}", is_either)
    ]
    by_point, by_comma = (
        f"({' OR '.join(fits('bared', column, each) for each in _CANDIDATES if each.decimal == mark)})"
        for mark in ".,"
    )
    is_number = f"({by_point} OR {by_comma})"
    only = (f"{by_point} AND NOT {by_comma}", f"{by_comma} AND NOT {by_point}")
    shown = [f"ARG_MIN({name}, ordinal) FILTER ({each})" for each in only] + shown
    bared = f"(SELECT *, {bare(name)} AS bared FROM {rows} AS numbers)"
    return f"SELECT COUNT(*), {', '.join(shown + misses)} FROM {bared} WHERE {is_number}"


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
