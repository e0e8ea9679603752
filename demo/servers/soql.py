"""Answer the part of Salesforce's query language that polling uses.

`SELECT fields FROM object [WHERE …] [ORDER BY …] [LIMIT n]`: conditions joined by AND, one-dot
relationships (`Account.Name`), no functions, no subqueries.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

QUERY = re.compile(
    r"\s*SELECT\s+(?P<select>[\w.]+(?:\s*,\s*[\w.]+)*)\s+FROM\s+(?P<object>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>[\w.]+(?:\s+(?:ASC|DESC))?(?:\s+NULLS\s+(?:FIRST|LAST))?"
    r"(?:\s*,\s*[\w.]+(?:\s+(?:ASC|DESC))?(?:\s+NULLS\s+(?:FIRST|LAST))?)*))?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
VALUE = r"'(?:[^'\\]|\\.)*'|[\w.:+-]+"
CONDITION = re.compile(
    rf"\s*(?P<field>[\w.]+)\s*(?:(?P<sign>>=|<=|!=|=|>|<)\s*(?P<value>{VALUE})"
    rf"|(?P<not>NOT\s+)?IN\s*\((?P<list>\s*(?:{VALUE})(?:\s*,\s*(?:{VALUE}))*\s*)\))"
    r"\s*(?:\bAND\s+|$)",
    re.IGNORECASE,
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DATETIMES = {"SystemModstamp", "CreatedDate", "LastModifiedDate"}
SIGNS: dict[str, Callable] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class QueryError(Exception):
    """Say which errorCode the platform would report."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Query:
    """A query in parts; a condition takes the value of a field and says whether it holds."""

    fields: list[str]
    object: str
    conditions: list[tuple[str, Callable[[Any], bool]]]
    order: list[tuple[str, bool, bool]]
    limit: int | None

    def names(self) -> list[str]:
        """Return every field the query mentions."""
        conditions = [field for field, _ in self.conditions]
        return [*self.fields, *conditions, *(field for field, _, _ in self.order)]


def parse(text: str) -> Query:
    """Return the query in parts, or raise what the platform would report."""
    match = QUERY.fullmatch(text)
    if not match:
        raise QueryError("MALFORMED_QUERY", f"unexpected token in query: {text[:80]}")
    fields = [field.strip() for field in match["select"].split(",")]
    for field in fields:
        if fields.count(field) > 1:
            raise QueryError("INVALID_FIELD", f"duplicate field selected: {field}")
    order = [_order(term) for term in (match["order"] or "").split(",") if term]
    limit = int(match["limit"]) if match["limit"] else None
    return Query(fields, match["object"], _conditions(match["where"] or ""), order, limit)


def run(query: Query, records: list[dict], look: Callable[[dict, str], Any]) -> list[dict]:
    """Return the records that match, in order; `look` finds a field of a record."""
    found = [
        record
        for record in records
        if all(test(typed(look(record, field))) for field, test in query.conditions)
    ]
    for field, descending, nulls_last in reversed(query.order):
        values = {id(record): typed(look(record, field)) for record in found}
        nulls = [record for record in found if values[id(record)] is None]
        rest = [record for record in found if values[id(record)] is not None]
        rest.sort(key=lambda record: _folded(values[id(record)]), reverse=descending)
        found = rest + nulls if nulls_last else nulls + rest
    return found[: query.limit]


def typed(value: Any) -> Any:
    """Return a value as it compares: texts that hold a moment as a moment in UTC."""
    if isinstance(value, str) and MOMENT.fullmatch(value):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return (
            value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)
        )
    return value.isoformat() if isinstance(value, date) else value


def shown(value: Any) -> Any:
    """Return a value as the platform writes it."""
    value = typed(value)
    if not isinstance(value, datetime):
        return value
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000"


def _order(term: str) -> tuple[str, bool, bool]:
    field, *words = term.split()
    upper = [word.upper() for word in words]
    return field, "DESC" in upper, "LAST" in upper


def _conditions(text: str) -> list[tuple[str, Callable[[Any], bool]]]:
    found, position = [], 0
    while position < len(text):
        match = CONDITION.match(text, position)
        if not match:
            raise QueryError("MALFORMED_QUERY", f"unexpected token: '{text[position:]}'")
        found.append((match["field"], _test(match)))
        position = match.end()
    return found


def _test(match: re.Match) -> Callable[[Any], bool]:
    if match["list"]:
        listed = [_literal(match["field"], text) for text in re.findall(VALUE, match["list"])]
        folded = [_folded(value) for value in listed]
        return lambda value: (_folded(value) in folded) != bool(match["not"])
    wanted = _folded(_literal(match["field"], match["value"]))
    if match["sign"] in ("=", "!="):
        return lambda value: (_folded(value) == wanted) == (match["sign"] == "=")
    if wanted is None:
        raise QueryError("MALFORMED_QUERY", "unexpected token: 'null'")
    return lambda value: value is not None and SIGNS[match["sign"]](_folded(value), wanted)


def _literal(field: str, text: str) -> Any:
    plain = {"null": None, "true": True, "false": False}
    if text.lower() in plain:
        return plain[text.lower()]
    if field.rpartition(".")[2] in DATETIMES and not MOMENT.fullmatch(text):
        message = f"value of filter criterion for field '{field}' must be of type dateTime"
        quoted = " and should not be enclosed in quotes" if text.startswith("'") else ""
        raise QueryError("INVALID_FIELD", message + quoted)
    if text.startswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if MOMENT.fullmatch(text) or DAY.fullmatch(text):
        return typed(text)
    try:
        return float(text)
    except ValueError:
        raise QueryError("MALFORMED_QUERY", f"unexpected token: '{text}'") from None


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
