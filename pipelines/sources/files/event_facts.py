"""Say what is read of events, in SQL: what an export of events holds of sessions, conversions and refunds."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pipelines.sources.batches import Rows
from pipelines.sources.files.urls import decoded, host, parameter
from pipelines.sql import identifier, literal


class Facts(NamedTuple):
    """The facts that events hold: a relation, and for each of a table's columns an expression over it.

    Of sessions, `guest` is who buys where an event is a purchase that names nobody: the browser.
    Of conversions and refunds, `counts` is whether an event is one, and `order` the order's own id,
    if it has one. A row of which `is_part` is true is not counted as an event, but as a part of one.
    """

    relation: str
    columns: Mapping[str, str]
    guest: str = "NULL"
    counts: str = "TRUE"
    order: str = "NULL"
    is_part: str = "FALSE"


def named(rows: Rows, names: Iterable[str], more: str = "") -> str:
    """Return a relation with a text for each name, NULL for those that an export lacks; '' is nothing.

    Other columns there are keep their names.
    """
    wanted = dict.fromkeys(sorted(names), "NULL")
    known = {name: rows.columns.get(name, value) for name, value in wanted.items()}
    lowered = {name.lower() for name in known}  # to SQL, names that differ in capitals are one
    for name, value in rows.columns.items():
        if name.lower() not in lowered:
            lowered.add(name.lower())
            known[name] = value
    columns = ", ".join(
        f"NULLIF({value}::TEXT, '') AS {identifier(name)}" for name, value in known.items()
    )
    return f"(SELECT {columns}{more} FROM {rows.relation})"


def first(*names: str) -> str:
    """Return SQL for the first of several columns that has a value."""
    return f"COALESCE({', '.join(map(identifier, names))})"


def among(value: str, words: Iterable[str]) -> str:
    """Return SQL for whether a value is one of several words."""
    return f"COALESCE({value} IN ({', '.join(map(literal, words))}), FALSE)"


def from_page(own: str, page: str, name: str) -> str:
    """Return SQL for a parameter such as utm_source: the event's own, or that of the page's address."""
    return f"COALESCE({own}, {decoded(parameter(page, name))})"


def from_elsewhere(referrer: str, page: str) -> str:
    """Return SQL for a referrer, unless it is a page of the site itself."""
    return f"IF({host(referrer)} = {host(page)}, NULL, {referrer})"


def since_1970(value: str) -> str:
    """Return SQL for a time as it is written, or of seconds, milliseconds or microseconds since 1970."""
    number = f"TRY_CAST({value} AS DOUBLE)"
    micros = (
        f"({number} * CASE WHEN {number} < 1e11 THEN 1e6 WHEN {number} < 1e14 THEN 1e3 ELSE 1 END)"
    )
    return f"COALESCE(make_timestamp({micros}::BIGINT)::TEXT || '+00', {value}::TEXT)"


def worth(items: str, amounts: Iterable[str]) -> str:
    """Return SQL for what the items of a list, as JSON, are worth in sum; NULL if there are none.

    An item is worth the first of `amounts` that it has, or its price, as often as its quantity says;
    if one has nothing of these, the sum is the list itself, which is no amount.
    """
    own = ", ".join(_amount(f"$.{name}") for name in amounts)
    price = f"{_amount('$.price')} * COALESCE({_amount('$.quantity')}, 1)"
    each = f"LIST_TRANSFORM(json_extract({items}, '$[*]'), lambda item: COALESCE({own}{', ' * bool(own)}{price}))"
    return f"""CASE WHEN COALESCE(json_array_length({items}), 0) > 0 THEN
      IF(LEN(LIST_FILTER({each}, lambda amount: amount IS NULL)) > 0, {items}::TEXT,
        LIST_SUM({each})::DECIMAL(18, 6)::TEXT) END"""


def _amount(path: str) -> str:
    return f"TRY_CAST(json_extract_string(item, '{path}') AS DECIMAL(18, 6))"
