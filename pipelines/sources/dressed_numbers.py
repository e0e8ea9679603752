"""Take off what is written around a number: a currency's mark, brackets or a dash for what is negative.

`(1.234,56 €)`, `€ 1.234,56-` and `EUR -1.234,56` are all `-1.234,56`. Which of its marks stands before the
decimals is not known here. In `12,-` the dash stands for decimals of zero, and in `€ -`, as spreadsheets write it in
their format of accounts, for zero. What has letters or signs of something else, such as `12 %`, `< 10` or `5k`, is
no number.
"""

from pipelines.sources.currency_marks import agrees, is_mark
from pipelines.sql import literal

BLANKS_WITHIN = " \u00a0\u2007\u2009\u202f"
_CURLY = "\u2019"  # an apostrophe
_DASHES = "\u2212\u2013\u2014\u2012"  # of a typesetter: minus, en dash, em dash, figure dash
_BARE = "[+-]?[0-9][0-9.,]*"  # most numbers
_WHOLE = (
    r"^(?P<before>(?:[^0-9.,]|\p{L}[.])*?)"
    rf"(?P<number>[.,]?[0-9](?:[0-9.,'{_CURLY}{BLANKS_WITHIN}]*[0-9.,])?(?:[eE][+-]?[0-9]+)?)"
    r"(?P<after>[^0-9]*)$"
)
_NO_MONEY = (  # a mark and a dash
    rf"[^0-9(){BLANKS_WITHIN}-]+[{BLANKS_WITHIN}]*[-{_DASHES}]|[-{_DASHES}][{BLANKS_WITHIN}]*[^0-9(){BLANKS_WITHIN}-]+"
)
_BEFORE = r"[(]?[+-]?[^()+-]*[(]?[+-]?"
_AFTER = r"-?[^()+-]*-?[)]?"


def bare(text: str) -> str:
    """Return SQL for a number without what is around it, `-` before a negative one; NULL of what is none."""
    before, after = "parts.before", "parts.after"
    marks = " AND ".join(
        f"({each} = '' OR {is_mark(each)})" for each in (_mark(before), _mark(after))
    )
    brackets = f"CONTAINS({before}, '(')"
    minuses = f"{_count(f'CONCAT({before}, {after})', '-')} + {brackets}::INT"
    is_one = (
        f"parts.number <> '' AND REGEXP_FULL_MATCH({before}, '{_BEFORE}') AND"
        f" REGEXP_FULL_MATCH({after}, '{_AFTER}') AND {brackets} = CONTAINS({after}, ')')"
        f" AND {minuses} <= 1 AND {marks}"
    )
    number = f"CASE WHEN {is_one} THEN CONCAT(IF({minuses} = 1, '-', ''), parts.number) END"
    found = f"LIST_TRANSFORM([{_parts(text)}], lambda parts: {number})[1]"
    mark = f"UPPER(REGEXP_REPLACE({text}, '[-{_DASHES}{BLANKS_WITHIN}]', '', 'g'))"
    is_zero = f"REGEXP_FULL_MATCH({text}, '{_NO_MONEY}') AND {is_mark(mark)}"
    return (
        f"CASE WHEN REGEXP_FULL_MATCH({text}, '{_BARE}') THEN {text}"
        f" WHEN {is_zero} THEN '0' ELSE {found} END"
    )


def contradicts(text: str, currency: str) -> str:
    """Return SQL for whether the mark beside a number is another currency's."""
    wrong = " OR ".join(
        f"({each} <> '' AND {is_mark(each)} AND NOT {agrees(each, currency)})"
        for each in (_mark("parts.before"), _mark("parts.after"))
    )
    found = f"LIST_TRANSFORM([{_parts(text)}], lambda parts: parts.number <> '' AND ({wrong}))[1]"
    return f"CASE WHEN REGEXP_FULL_MATCH({text}, '{_BARE}') THEN FALSE ELSE {found} END"


def mark_of(text: str) -> str:
    """Return SQL for the mark of a currency beside a number, in capitals; '' if it has none."""
    first, second = _mark("parts.before"), _mark("parts.after")
    return f"LIST_TRANSFORM([{_parts(text)}], lambda parts: COALESCE(NULLIF({first}, ''), {second}))[1]"


def has_mark(text: str) -> str:
    """Return SQL for whether something other than a number, its sign or its brackets is written beside it."""
    return f"REGEXP_MATCHES({text}, '[^0-9.,()+eE{_DASHES}{BLANKS_WITHIN}''{_CURLY}-]')"


def _parts(text: str) -> str:
    """Return SQL for what is before a number, the number, and what is after it, without blanks around them."""
    plain = f"TRANSLATE({text}, '{_DASHES}', '{'-' * len(_DASHES)}')"
    plain = f"REGEXP_REPLACE({plain}, '([0-9][.,])-+', '\\1')"
    names = "['before', 'number', 'after']"
    found = f"REGEXP_EXTRACT({plain}, {literal(_WHOLE)}, {names})"
    blanks = f"[{BLANKS_WITHIN}]"
    return (
        f"LIST_TRANSFORM([{found}], lambda found: {{"
        f"before: REGEXP_REPLACE(found.before, '{blanks}', '', 'g'), number: found.number,"
        f" after: REGEXP_REPLACE(found.after, '{blanks}', '', 'g')}})[1]"
    )


def _mark(part: str) -> str:
    return f"UPPER(REGEXP_REPLACE({part}, '[()+-]', '', 'g'))"


def _count(text: str, sign: str) -> str:
    return f"(LENGTH({text}) - LENGTH(REPLACE({text}, '{sign}', '')))"
