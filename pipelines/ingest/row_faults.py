"""Say what can be wrong with a row: in SQL, with the reason, and what reads such a value instead."""

from typing import NamedTuple

from pipelines.contracts.contract import Column, Contract
from pipelines.settings.client import Client
from pipelines.sources import times
from pipelines.sources.batches import Remedy
from pipelines.sources.flag_words import CHECKED
from pipelines.sources.numbers import (
    Reading,
    currency_of_row,
    is_in_another_currency,
    is_plain,
    setting,
)
from pipelines.sql import literal

LONGEST_TEXT = 20_000  # bytes
LONGEST_ADDRESS = 200_000  # addresses of pages that hold what a page was sent
QUOTED = 80  # letters of a value that a reason quotes; quarantine has the whole of it

_READ_AS = {
    "timestamp": "times are read as 2026-11-03 14:30:00, with an offset such as Z or +01:00 or without, as a"
    " day alone, as 3.11.2026 14:30, Nov 3, 2026 2:30 PM, 20261103, or as seconds since 1970",
    "date": "days are read as 2026-11-03, 3.11.2026, Nov 3, 2026, or 20261103",
    "boolean": "flags are read as true or false, yes or no, y or n, 1 or 0, wahr or falsch, ja or nein, vrai or"
    " faux, oui or non, sí or no and so on, or x or nothing (but not of consent): a column in words of one language",
    "money": "amounts are read as 1234.56, 1.234,56, 1 234,56 €, (1,234.56) or USD 1'234.50, all of a file in one way",
    "rate": "rates are read as 1.2345",
    "integer": "counts are read as 1234, without decimals",
}

_OF_MARKS = "; whether 1.250 is 1250 or 1.25, `numbers:` says beside it"
_NO_NUL = "a text holds no NUL, the byte 0, which some programs take for its end: take it out"
_VALUES = (
    "a path such as context.campaign.name leads through JSON to a value, not to an object or a list"
)
_TOO_LONG = "longer texts are mostly rows that ran together, or a column of something else"
_OTHER_MARK = (
    "the mark beside an amount and the currency of its row say two things: name the column that says the"
    " currency under `columns:`, or write `in_currency:` where all is in one"
)
NO_DATA = "a row without what every row needs is mostly a sum or a note: leave out what is no data"


class Fault(NamedTuple):
    """What can be wrong with a row: a condition and a reason in SQL, and what helps, in words.

    Whether it `is_number` tells those that a setting of how numbers are read may mend; another line
    of the client's file that would is its `remedy`. Of a column that is `missing`, it has the name.
    """

    condition: str
    reason: str
    advice: str = ""
    is_number: bool = False
    remedy: Remedy | None = None
    missing: str = ""


def faults(contract: Contract, client: Client, reading: Reading) -> list[Fault]:
    """Return all that can be wrong with a row of a table, in the order in which a row says it."""
    found: list[Fault] = []
    for name, column in contract.columns.items():
        if column.required and reading.words.get(name) != CHECKED:
            found.append(_missing(name, reading.changes(column, name)))
        if column.is_money and reading.undresses(column, name):
            found += _dressed(name, column, contract, reading)
        elif column.type != "text":
            found.append(_ill_written(name, column, reading))
        else:
            found.append(_no_value(name))
            has_nul = f"CONTAINS({name}, CHR(0)) AND NOT STARTS_WITH({name}, CHR(0))"
            found.append(Fault(has_nul, f"'{name} holds a NUL'", _NO_NUL))
            found.append(_too_long(name, LONGEST_ADDRESS if column.is_address else LONGEST_TEXT))
    found += [Fault(condition, literal(what)) for what, condition in contract.bad_if.items()]
    if "currency" in contract.columns:
        found.append(_unpriced_currency(client))
    return found


def reason(found: list[Fault]) -> str:
    """Return SQL for all that is wrong with a row: NULL if nothing is."""
    reasons = ", ".join(f"CASE WHEN {fault.condition} THEN {fault.reason} END" for fault in found)
    is_bad = " OR ".join(f"({fault.condition})" for fault in found)  # a NULL is no TRUE
    return f"CASE WHEN {is_bad} THEN CONCAT_WS('; ', {reasons}) END"


def _missing(name: str, is_read: bool) -> Fault:
    delivered = f"delivered_{name}" if is_read else name
    return Fault(f"{delivered} IS NULL", f"'{name} is missing'", NO_DATA, missing=name)


def _no_value(name: str) -> Fault:
    """Return the fault of what a path has found that is no value: see `nested_paths`."""
    said = f"CONCAT('{name} is read from what is no value: ', {quoted(f'SUBSTR({name}, 2)')})"
    return Fault(f"STARTS_WITH({name}, CHR(0))", said, _VALUES)


def _too_long(name: str, longest: int) -> Fault:
    """Return the fault of a text that costs every model more than it says.

    DuckDB heeds that a model's time is over between two batches of rows: what one row may cost must
    have an end.
    """
    said = f"CONCAT('{name} has ', FORMAT('{{:,}}', STRLEN({name})), ' bytes, {longest:,} at most are read')"
    return Fault(f"STRLEN({name}) > {longest}", said, _TOO_LONG)


def _ill_written(name: str, column: Column, reading: Reading) -> Fault:
    """Return the fault of a value that is not written as its type is."""
    if name in reading.words:
        condition = f"delivered_{name} IS NOT NULL AND {name} IS NULL"
        return Fault(condition, _is_no(f"delivered_{name}", name, column), _READ_AS[column.type])
    if reading.changes(column, name):
        by = [setting(reading.numbers)] if reading.numbers else []
        by += [f"unit: {{{name}: {reading.unit[name]}}}"] if name in reading.unit else []
        return Fault(
            f"delivered_{name} IS NOT NULL AND {name} IS NULL",
            _is_no(f"delivered_{name}", name, column),
            f"{name} is read by `{'`, `'.join(by)}`{'' if reading.numbers else _OF_MARKS}",
            is_number=not reading.numbers,
        )
    fits = is_plain(name, column) if column.is_number else _castable(name, column)
    condition = f"{name} IS NOT NULL AND NOT {fits}"
    return Fault(condition, _is_no(name, name, column), _READ_AS[column.type], column.is_number)


def _dressed(name: str, column: Column, contract: Contract, reading: Reading) -> list[Fault]:
    """Return the faults of an amount that is read with what is written around it: another currency's mark, or ill."""
    delivered = f"delivered_{name}"
    contradicts = is_in_another_currency(delivered, contract, reading)
    is_other = f"CASE WHEN {name} IS NULL THEN {contradicts} ELSE FALSE END"
    quoted_value = f"CONCAT('{name} ', CHR(39), {quoted(delivered)}, CHR(39)"
    said = f"{quoted_value}, ' is in another currency than its row, ', {currency_of_row(contract, reading)})"
    ill = _ill_written(name, column, reading)
    return [
        Fault(is_other, said, _OTHER_MARK),
        ill._replace(condition=f"{ill.condition} AND NOT {is_other}"),
    ]


def _is_no(value: str, name: str, column: Column) -> str:
    """Return SQL for a reason that quotes a value."""
    shown = quoted(f"LTRIM({value}, CHR(0))")
    return f"CONCAT('{name} ''', {shown}, ''' is no {column.type}')"


def quoted(value: str) -> str:
    """Return SQL for as much of a value as a line has room for."""
    return f"IF(LENGTH({value}) > {QUOTED}, LEFT({value}, {QUOTED}) || '…', {value})"


def _unpriced_currency(client: Client) -> Fault:
    """Return the fault of a currency that cannot be changed into the client's."""
    if client.sources.rates:
        reason = "CONCAT('currency ', LEFT(currency, 80), ' is not three letters')"
        advice = "currencies are read by their ISO 4217 code, such as USD"
        return Fault("NOT REGEXP_FULL_MATCH(currency, '[A-Z]{3}')", reason, advice)
    remedy = f", the client has {client.currency}: deliver sources.rates"
    return Fault(
        f"currency <> '{client.currency}'",
        f"CONCAT('currency ', LEFT(currency, {QUOTED}), '{remedy}')",
        f"what is in another currency than the client's needs a file of rates, of"
        f" rate_date,currency,rate such as 2026-01-01,USD,0.91 (what one unit is worth in"
        f" {client.currency})",
        remedy=Remedy(
            f"rates: {{rates: {{files: 'exports/{client.id}/rates*'}}}}", below="sources"
        ),
    )


def _castable(name: str, column: Column) -> str:
    if column.type in ("timestamp", "date"):
        as_written = f"TRY_CAST({name} AS {column.type.upper()})::TEXT = {name}"  # most are
        return (
            f"(({name} >= '1970' AND {name} < '2100' AND COALESCE({as_written}, FALSE))"
            f" OR (REGEXP_FULL_MATCH({name}, '{times.PLAIN}') AND COALESCE(TRY_CAST({name} AS TIMESTAMP)"
            " BETWEEN '1970-01-01' AND '2100-01-01', FALSE)))"
        )
    return f"(TRY_CAST({name} AS BOOLEAN) IS NOT NULL)"
