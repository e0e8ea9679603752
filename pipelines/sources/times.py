"""Read days and times as exports write them: `1.11.2026 11:00`, `Nov 1, 2026 11:00 AM`, `20261101`, seconds.

What can be read in one way only is brought to what staging casts, `2026-11-01 11:00:00`, with its offset
if it has one. `1/11/2026` is a day of January in one country and of November in another: how the day is
written then, the client's file says by `date_format:`. What cannot be read stays, and is bad.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipelines.contracts.contract import Column, Contract
from pipelines.sql import literal

EXCEL = "excel"  # the `date_format:` of days counted from the last but one of 1899

# What staging's @utc reads: an offset counts, a zone's name does not.
_OFFSET = "Z|UTC|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?"
PLAIN = (
    "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
    f"([T ][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?( *({_OFFSET}))?)?)?"
)

_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_GERMAN = {"mär": "mar", "mrz": "mar", "mai": "may", "okt": "oct", "dez": "dec"}
_MONTH = f"((?:{'|'.join([*re.findall('...', _MONTHS), *_GERMAN])})[a-zä]*)[.]?"
_YEAR = "([0-9]{4})"
_DAY = "([0-9]{1,2})"
_LETTERS = {
    "d": _DAY,
    "m": _DAY,
    "Y": _YEAR,
    "y": "([0-9]{2})",
    "b": _MONTH,
    "B": _MONTH,
}

# The time of day behind a day, and its offset: `, 11:00 AM`, `T11:00:00.5+01:00`, ` 11.00.00`.
_CLOCK = (
    "(?:[T, ]|at|um)+([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?(?:[.,]([0-9]+))?"
    f" *(?:([ap])[.]?m[.]?)?(?: *uhr)? *({_OFFSET}|GMT)?"
)


# Most times are so, and need no other look.
_SECONDS = "____-__-_____:__:__"
_USUAL = ("____-__-__", _SECONDS, f"{_SECONDS}%Z", f"{_SECONDS}%+__:__")


class Form(NamedTuple):
    """A way of writing a day: a pattern, and which of its groups are year, month, and day."""

    pattern: str
    year: int
    month: int
    day: int


_WEEKDAY = "(?:[a-zä]+[.]?,? +)?"
_ORDINAL = "(?:st|nd|rd|th|[.])?"
FORMS = (
    Form(f"{_YEAR}[-/.]{_DAY}[-/.]{_DAY}", 1, 2, 3),
    Form(f"{_DAY}[.] ?{_DAY}[.] ?([0-9]{{4}}|[0-9]{{2}})", 3, 2, 1),
    Form(f"{_WEEKDAY}{_DAY}{_ORDINAL}[ -]{_MONTH},?[ -]([0-9]{{4}}|[0-9]{{2}})", 3, 2, 1),
    Form(f"{_WEEKDAY}{_MONTH} {_DAY}{_ORDINAL},? {_YEAR}", 3, 1, 2),
)

# Groups of digits: the day, its time, its offset. An hour alone would be an epoch's ten digits.
_COMPACT = {
    "((?:19|20)[0-9]{2})([01][0-9])([0-3][0-9])": r"\1-\2-\3",
    f"((?:19|20)[0-9]{{2}})([01][0-9])([0-3][0-9])T?([0-2][0-9])([0-5][0-9])([0-5][0-9])({_OFFSET})?": (
        r"\1-\2-\3 \4:\5:\6\7"
    ),
}

# Digits of an epoch of 2001 to 2033, by the microseconds that its unit has.
_EPOCHS = {"1[0-9]{9}": 10**6, "1[0-9]{12}": 10**3, "1[0-9]{15}": 1}


def form_of(date_format: str) -> Form:
    """Return the form of a day that is written by a pattern such as `%m/%d/%Y`."""
    parts = re.split("%(.)", date_format)
    letters = parts[1::2]
    pattern = "".join(
        _LETTERS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
    places = {letter.lower(): number for number, letter in enumerate(letters, 1)}
    return Form(pattern, places["y"], places["m" if "m" in places else "b"], places["d"])


def read(contract: Contract, date_format: str | None, relation: str) -> str:
    """Return a relation with its days and times as staging casts them, where they can be read."""
    values = [
        f"{_read(name, column, date_format)} AS {name}"
        for name, column in contract.columns.items()
        if column.type in ("timestamp", "date")
    ]
    return f"(SELECT * REPLACE ({', '.join(values)}) FROM {relation})" if values else relation


def as_time(text: str, date_format: str | None) -> str:
    """Return SQL for a time that is only compared; NULL if it cannot be read.

    It is in UTC where it has an offset, and as it is written where it has none.
    """
    written = f"REGEXP_REPLACE({_read(text, _TIME, date_format)}, ' +([+-]|Z$)', '\\1')"
    time = f"TRY_CAST({written} AS TIMESTAMP)"
    return f"CASE WHEN {time} BETWEEN '1970-01-01' AND '2100-01-01' THEN {time} END"


_TIME = Column("timestamp", "a time of any kind")


def _read(name: str, column: Column, date_format: str | None) -> str:
    """Return SQL for a time as staging casts it."""
    is_usual = " OR ".join(f"{name} LIKE '{each}'" for each in _USUAL)
    read = [_by_form(name, form) for form in _forms(date_format)]
    read += [_replaced(name, *each) for each in _COMPACT.items()]
    if date_format == EXCEL:
        read.append(_of_excel(name))
    if column.type == "timestamp":
        read += [_of_epoch(name, *each) for each in _EPOCHS.items()]
        read.append(_of_zone(name))
    is_plain = f"REGEXP_FULL_MATCH({name}, {literal(PLAIN)})"
    return f"CASE WHEN {is_usual} OR {is_plain} THEN {name} ELSE COALESCE({', '.join(read)}, {name}) END"


def _forms(date_format: str | None) -> Iterable[Form]:
    own = [form_of(date_format)] if date_format and date_format != EXCEL else []
    return (*own, *FORMS)


def _by_form(name: str, form: Form) -> str:
    """Return SQL for a day that is written so, and for what follows; NULL of another."""
    whole = f"(?i)^{form.pattern}((?:[T, ]|at |um ).*)?$"
    last = re.compile(form.pattern).groups + 1
    year, month, day, rest = (
        f"REGEXP_EXTRACT({name}, {literal(whole)}, {number})" for number in (*form[1:], last)
    )
    return (
        f"CASE WHEN REGEXP_MATCHES({name}, {literal(whole)}) THEN"
        f" CONCAT(IF(STRLEN({year}) = 2, '20', ''), {year}, '-', {_number_of(month)}, '-',"
        f" LPAD({day}, 2, '0')) || {_clock(rest)} END"
    )


def _number_of(month: str) -> str:
    """Return SQL for a month in two digits: of `11`, `Nov`, or `November`."""
    word = f"LOWER(LEFT({month}, 3))"
    for german, english in _GERMAN.items():
        word = f"REPLACE({word}, '{german}', '{english}')"
    named = f"((STRPOS('{_MONTHS}', {word}) + 2) // 3)::TEXT"
    return f"LPAD(IF({month} < 'A', {month}, {named}), 2, '0')"


def _clock(rest: str) -> str:
    """Return SQL for a time of day: ` 23:00:00.5Z` of 11:00:00.5 pm UTC; NULL if it is none, as 13 pm.

    Of nothing it is nothing.
    """
    whole = f"(?i)^{_CLOCK}$"
    hour, minute, second, fraction, half, offset = (
        f"REGEXP_EXTRACT({rest}, {literal(whole)}, {number})" for number in range(1, 7)
    )
    of_half = (
        f"IF({hour}::INT BETWEEN 1 AND 12, {hour}::INT % 12 + IF(LOWER({half}) = 'p', 12, 0), NULL)"
    )
    of_day = f"IF({half} = '', {hour}, ({of_half})::TEXT)"
    seconds = f"IF({second} = '', '00', {second})"
    fractions = f"IF({fraction} = '', '', '.' || {fraction})"
    shown = (
        f"' ' || LPAD({of_day}, 2, '0') || ':' || {minute} || ':' || {seconds} || {fractions}"
        f" || REGEXP_REPLACE(UPPER({offset}), 'GMT|UTC', 'Z')"
    )
    return f"CASE WHEN {rest} = '' THEN '' WHEN REGEXP_MATCHES({rest}, {literal(whole)}) THEN {shown} END"


def _replaced(name: str, pattern: str, written: str) -> str:
    is_it = f"REGEXP_FULL_MATCH({name}, {literal(pattern)})"
    return (
        f"CASE WHEN {is_it} THEN REGEXP_REPLACE({name}, {literal(pattern)}, {literal(written)}) END"
    )


def _of_epoch(name: str, digits: str, unit: int) -> str:
    """Return SQL for an epoch in UTC; decimals are those of a number that was a float."""
    is_it = f"REGEXP_FULL_MATCH({name}, '{digits}([.][0-9]+)?')"
    moment = f"MAKE_TIMESTAMP(({name}::DECIMAL(38, 6) * {unit})::BIGINT)"
    return f"CASE WHEN {is_it} THEN {moment}::TEXT || 'Z' END"


def _of_excel(name: str) -> str:
    """Return SQL for a day that Excel counts, and its hour: 46327.4583333 is 2026-11-01 11:00."""
    seconds = f"ROUND({name}::DOUBLE * 86400)::BIGINT"
    moment = f"TIMESTAMP '1899-12-30' + TO_SECONDS({seconds})"
    shown = f"IF(CONTAINS({name}, '.'), ({moment})::TEXT, ({moment})::DATE::TEXT)"
    return f"CASE WHEN REGEXP_FULL_MATCH({name}, '[2-6][0-9]{{4}}([.][0-9]+)?') THEN {shown} END"


def _of_zone(name: str) -> str:
    """Return SQL for a time with a zone's name behind it, as Java writes it: `…T11:00:00[Europe/Berlin]`."""
    bare = f"REGEXP_EXTRACT({name}, '^(.*)\\[[A-Za-z_/]+\\]$', 1)"
    zone = f"REGEXP_EXTRACT({name}, '\\[([A-Za-z_/]+)\\]$', 1)"
    has_offset = f"REGEXP_MATCHES({bare}, '({_OFFSET})$') AND CONTAINS({bare}, ':')"
    moment = f"TRY_CAST({bare} || ' ' || {zone} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return (
        f"CASE WHEN ENDS_WITH({name}, ']') THEN"
        f" IF({has_offset}, {bare}, ({moment})::TEXT || 'Z') END"
    )
