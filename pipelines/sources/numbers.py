"""Read numbers as an export writes them: `1.234,56`, millionths, hundredths.

Raw gets what staging casts: `1234.56`. So the reading that held on the day of a load stays with its
rows, and no model knows of it. A number that is not written as the export's settings say is bad.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from pipelines.contracts.contract import SQL_TYPES, Column, Contract
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.dressed_numbers import bare, contradicts, has_mark
from pipelines.sources.files.asked_units import sure_units
from pipelines.sources.flag_words import as_flag
from pipelines.sql import literal

PLAIN = Numbers()  # of what no setting is said: 1234.56
POINTS = Numbers(decimal=",", thousands=".")  # to which 1.250 is 1250

# What else exports write, in the order in which it is proposed.
OTHERS = (
    Numbers(thousands=","),
    POINTS,
    Numbers(decimal=",", thousands=" "),
    Numbers(thousands=" "),
    Numbers(thousands="'"),
    Numbers(decimal=",", thousands="'"),
)

ANY = Column("rate", "a number of any size")

# Signs that look the same: a blank that does not break a line, a curly apostrophe.
_LIKE = {" ": "[ \u00a0\u2007\u2009\u202f]", "'": "['\u2019]"}

_SHIFT = {
    "micros": "0.000001::DECIMAL(7, 6)",
    "cents": "0.01::DECIMAL(3, 2)",
    "thousands": "1000::DECIMAL(4, 0)",
    "millions": "1000000::DECIMAL(7, 0)",
}

_EXPONENT = "([eE][+-]?[0-9]+)?"
_SIGN = "[+-]?"

# 1.250 is 1250 in one country, and one and a quarter in another; 0.125 and 12.5 are not.
EITHER = f"{_SIGN}[1-9][0-9]{{0,2}}[.][0-9]{{3}}"
EITHER_MARK = EITHER.replace("[.]", "[.,]")  # as 1,250 is


class Reading(NamedTuple):
    """How the numbers, days and flags of one table are read, as far as the client's file says or values prove.

    `unit` and `words` are by column of ours: of a flag, the list of its words. The columns that are `typed`
    hold numbers by their type, whatever texts look like. Money without a `currency` is in the client's.
    """

    numbers: Numbers | None = None
    unit: Mapping[str, str] = {}
    date_format: str | None = None
    words: Mapping[str, str] = {}
    typed: frozenset[str] = frozenset()
    currency: str = ""

    def changes(self, column: Column, name: str) -> bool:
        """Return whether a column's values are not simply what was delivered."""
        return self.undresses(column, name) or self.shifts(column, name) or name in self.words

    def undresses(self, column: Column, name: str) -> bool:
        """Return whether a column's values are texts that are numbers by what the export writes."""
        return column.is_number and bool(self.numbers) and name not in self.typed

    def shifts(self, column: Column, name: str) -> bool:
        """Return whether a column counts something else than units."""
        return column.is_number and self.unit.get(name) in _SHIFT


def reading_of(feed: Export | Api, contract: Contract, client: Client) -> Reading:
    """Return how the numbers and days of an export are read; a platform's API answers in plain ones."""
    if not isinstance(feed, Export):
        return Reading(currency=client.currency)
    unit = feed.unit | sure_units(feed, contract)
    return Reading(feed.numbers, unit, feed.date_format, currency=client.currency)


def setting(numbers: Numbers) -> str:
    """Return the line of a client's file: `numbers: {decimal: ",", thousands: "."}`."""
    marks = {"decimal": numbers.decimal, "thousands": numbers.thousands}
    written = ", ".join(f"{key}: {json.dumps(mark)}" for key, mark in marks.items() if mark)
    return f"numbers: {{{written}}}"


def pattern(column: Column, numbers: Numbers) -> str:
    """Return what a number is written like, as a regular expression; a whole one ends in .0 at most."""
    mark = re.escape(numbers.decimal)
    digits = "[0-9]+"
    if numbers.thousands:  # 12,34,567 in India
        sign = _LIKE.get(numbers.thousands, f"[{numbers.thousands}]")
        digits = f"([0-9]+|[1-9][0-9]{{0,2}}({sign}[0-9]{{2,3}})*{sign}[0-9]{{3}})"
    if column.type == "integer":
        return f"{_SIGN}{digits}({mark}0*)?"
    return f"{_SIGN}({digits}({mark}[0-9]*)?|{mark}[0-9]+){_EXPONENT}"


def fits(name: str, column: Column, numbers: Numbers) -> str:
    """Return SQL for whether a value is written as numbers are; NULL of nothing."""
    return f"REGEXP_FULL_MATCH({name}, {literal(pattern(column, numbers))})"


def is_plain(name: str, column: Column) -> str:
    """Return SQL for whether a value is a number as staging casts it: 1234.56, and whole if it counts."""
    castable = f"TRY_CAST({name} AS {SQL_TYPES[column.type]}) IS NOT NULL"
    looks = (
        fits(name, column, PLAIN) if column.type == "integer" else f"NOT CONTAINS({name}, '_')"
    )  # to DuckDB 1_000 is a number, and so is 0x1F where it is a whole one
    return f"({castable} AND {looks})"


def plain(name: str, column: Column, reading: Reading) -> str:
    """Return SQL for a delivered number as staging casts it; NULL if it is not written as agreed.

    What is written around it is taken off before, in `bare_…` of its column.
    """
    shift, is_typed = _SHIFT.get(reading.unit.get(name, "")), name in reading.typed
    numbers = PLAIN if is_typed else reading.numbers or PLAIN
    bared = f"bare_{name}" if reading.undresses(column, name) else name
    text, agreed = _with_point(bared, numbers), fits(bared, ANY if shift else column, numbers)
    if not (reading.numbers or is_typed):  # whether it is a thousand, or one and a bit, nobody said
        agreed = f"({agreed} AND NOT REGEXP_FULL_MATCH({bared}, {literal(EITHER)}))"
    kind = SQL_TYPES[column.type]
    if shift:
        moved = f"TRY_CAST({text} AS DECIMAL(24, 6)) * {shift}"
        if column.type == "integer":  # 1.5 thousand is whole, and 0.0005 is not
            return f"CASE WHEN {agreed} AND {moved} = TRUNC({moved}) THEN TRY_CAST({moved} AS {kind})::TEXT END"
        written = f"TRY_CAST({moved} AS {kind})::TEXT"
        return f"CASE WHEN {agreed} THEN REGEXP_REPLACE({written}, '[.]?0*$', '') END"
    return f"CASE WHEN {agreed} AND TRY_CAST({text} AS {kind}) IS NOT NULL THEN {text} END"


def as_double(text: str, numbers: Numbers) -> str:
    """Return SQL for a number that is only compared, of any size; NULL if it is not written as agreed."""
    read = f"TRY_CAST({_with_point(text, numbers)} AS DOUBLE)"
    return f"CASE WHEN {fits(text, ANY, numbers)} THEN {read} END"


def as_exact(text: str, numbers: Numbers | None, typed: Collection[str] = ()) -> str:
    """Return SQL for a number that is reckoned with, to the cent; NULL if it is not written as agreed.

    Where nobody has said how numbers are written, `1.250` is none, but for texts that are `typed`: those
    of what the export itself holds as a number.
    """
    written = PLAIN if text in typed else numbers or PLAIN
    agreed = fits(text, ANY, written)
    if not numbers and text not in typed:
        agreed = f"({agreed} AND NOT REGEXP_FULL_MATCH({text}, {literal(EITHER)}))"
    return f"CASE WHEN {agreed} THEN TRY_CAST({_with_point(text, written)} AS DECIMAL(18, 6)) END"


def _with_point(text: str, numbers: Numbers) -> str:
    """Return SQL for a number with a point before its decimals, and nothing between its thousands."""
    if numbers.thousands:
        plain = f"REPLACE({text}, {literal(numbers.thousands)}, '')"
        signs = _LIKE.get(numbers.thousands)
        text = f"REGEXP_REPLACE({text}, {literal(signs)}, '', 'g')" if signs else plain
    return text if numbers.decimal == "." else f"REPLACE({text}, {literal(numbers.decimal)}, '.')"


def beside(contract: Contract, reading: Reading) -> dict[str, str]:
    """Return where the delivered text is of each column that is read: `delivered_cost` of `cost`."""
    columns = contract.columns.items()
    return {name: f"delivered_{name}" for name, column in columns if reading.changes(column, name)}


def kept_beside(contract: Contract, reading: Reading) -> dict[str, str]:
    """Return where delivered texts are kept that tell how the numbers are written, as nobody has said it."""
    if reading.numbers:
        return {}
    columns = contract.columns.items()
    return {name: f"delivered_{name}" for name, each in columns if reading.shifts(each, name)}


def is_in_another_currency(name: str, contract: Contract, reading: Reading) -> str:
    """Return SQL for whether the mark beside an amount contradicts the currency of its row."""
    return contradicts(name, currency_of_row(contract, reading))


def currency_of_row(contract: Contract, reading: Reading) -> str:
    """Return SQL for the currency that a row's money is in."""
    own = literal(reading.currency)
    return f"COALESCE(currency, {own})" if "currency" in contract.columns else own


def read(contract: Contract, reading: Reading, relation: str) -> str:
    """Return a relation with its numbers and flags as staging casts them, and beside them what was delivered."""
    if not (delivered := beside(contract, reading)):
        return relation
    values = ", ".join(f"{_value(name, contract, reading)} AS {name}" for name in delivered)
    kept = ", ".join(f"{name} AS {was}" for name, was in delivered.items())
    dressed = [name for name in delivered if reading.undresses(contract.columns[name], name)]
    if not dressed:
        return f"(SELECT * REPLACE ({values}), {kept} FROM {relation})"
    bared = ", ".join(f"{bare(name)} AS bare_{name}" for name in dressed)
    left_out = ", ".join(f"bare_{name}" for name in dressed)
    return (
        f"(SELECT * EXCLUDE ({left_out}) REPLACE ({values}), {kept}"
        f" FROM (SELECT *, {bared} FROM {relation}))"
    )


def _value(name: str, contract: Contract, reading: Reading) -> str:
    column = contract.columns[name]
    if name in reading.words:
        return as_flag(name, reading.words[name])
    value = plain(name, column, reading)
    if not reading.undresses(column, name):
        return value
    is_bad = (
        has_mark(name) if not column.is_money else is_in_another_currency(name, contract, reading)
    )
    return f"CASE WHEN {is_bad} THEN NULL ELSE {value} END"
