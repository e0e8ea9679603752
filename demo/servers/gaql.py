"""Answer the part of the Google Ads query language that reports use.

`SELECT fields FROM campaign | ad_group | customer [WHERE …] [ORDER BY …] [LIMIT n]`, with
conditions joined by AND. Rows are grouped by the fields asked for and their metrics summed.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUERY = re.compile(
    r"\s*SELECT\s+(?P<select>.+?)\s+FROM\s+(?P<resource>\w+)(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
VALUE = r"(?:'[^']*'|\"[^\"]*\"|[\w.-]+)"
CONDITION = re.compile(
    rf"\s*(?P<field>[\w.]+)\s*(?:BETWEEN\s+(?P<low>{VALUE})\s+AND\s+(?P<high>{VALUE})"
    rf"|(?:(?P<not>NOT)\s+)?IN\s*\((?P<list>[^)]*)\)|(?P<sign>>=|<=|!=|=|>|<)\s*(?P<value>{VALUE}))"
    r"\s*(?:AND\b|$)",
    re.IGNORECASE,
)
SIGNS: dict[str, Callable] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
INT64 = {"campaign.id", "ad_group.id", "customer.id"}
INT64 |= {"metrics.cost_micros", "metrics.clicks", "metrics.impressions"}
FIELDS: dict[str, tuple[str, Any]] = {
    "campaign.id": ("campaign_id", ""),
    "campaign.name": ("campaign", ""),
    "campaign.status": ("campaign_status", "ENABLED"),
    "campaign.advertising_channel_type": ("channel_type", "SEARCH"),
    "ad_group.id": ("ad_group_id", ""),
    "ad_group.name": ("ad_group", ""),
    "ad_group.status": ("ad_group_status", "ENABLED"),
    "customer.id": ("customer_id", ""),
    "customer.currency_code": ("currency", ""),
    "customer.time_zone": ("time_zone", ""),
    "segments.date": ("date", ""),
    "metrics.cost_micros": ("cost_micros", 0),
    "metrics.clicks": ("clicks", 0),
    "metrics.impressions": ("impressions", 0),
    "metrics.conversions": ("conversions", 0.0),
    "metrics.conversions_value": ("conversions_value", 0.0),
}
PARENTS = {"customer": [], "campaign": ["customer"], "ad_group": ["customer", "campaign"]}


class QueryError(Exception):
    """Say which queryError the platform would report."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Query:
    """A query in parts; a condition takes the value of a field and says whether it holds."""

    fields: list[str]
    resource: str
    conditions: list[tuple[str, Callable[[Any], bool]]]
    order: list[tuple[str, bool]]
    limit: int | None


def parse(text: str) -> Query:
    """Return the query in parts, or raise what the platform would report."""
    match = QUERY.fullmatch(text)
    if not match:
        raise QueryError("UNEXPECTED_INPUT", "Error in query: unexpected input.")
    fields = [field.strip() for field in match["select"].split(",")]
    resource = match["resource"]
    if resource not in PARENTS:
        raise QueryError(
            "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{resource}' is not a valid resource."
        )
    order = [_order(term) for term in (match["order"] or "").split(",") if term.strip()]
    conditions = _conditions(match["where"] or "")
    for field in [*fields, *(field for field, _ in conditions), *(field for field, _ in order)]:
        _check(field, resource)
    return Query(
        fields, resource, conditions, order, int(match["limit"]) if match["limit"] else None
    )


def run(query: Query, rows: list[dict], customer: dict) -> list[dict]:
    """Return the rows of the answer, in the shape of the REST interface."""
    dimensions = [(f, c) for f, c in query.conditions if not f.startswith("metrics.")]
    metrics = [(f, c) for f, c in query.conditions if f.startswith("metrics.")]
    kept = [row for row in rows if all(c(_value({**row, **customer}, f)) for f, c in dimensions)]
    if query.resource == "ad_group":  # Performance Max campaigns have none
        kept = [row for row in kept if row.get("ad_group_id")]
    groups: dict[tuple, dict] = {}
    for row in kept or ([{}] if query.resource == "customer" and not dimensions else []):
        full = {**row, **customer}
        key = tuple(_value(full, f) for f in _keys(query))
        groups[key] = _sum(groups[key], full) if key in groups else full
    found = [row for row in groups.values() if all(c(_value(row, f)) for f, c in metrics)]
    for field, descending in reversed(query.order):
        found.sort(key=lambda row: _value(row, field), reverse=descending)
    return [_shape(query, row) for row in found if not _empty(query, row)][: query.limit]


def camel(name: str) -> str:
    """Return a name in lowerCamelCase."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _check(field: str, resource: str) -> None:
    if field not in FIELDS:
        raise QueryError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{field}'.")
    owner = field.partition(".")[0]
    if owner not in ("metrics", "segments", resource, *PARENTS[resource]):
        raise QueryError(
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
            f"Cannot select fields from the following resources: '{owner.upper()}', "
            f"since the resource is incompatible with the resource in FROM clause '{resource}'.",
        )


def _conditions(text: str) -> list[tuple[str, Callable[[Any], bool]]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = CONDITION.match(text, position)
        if not match:
            raise QueryError(
                "UNEXPECTED_INPUT", f"Error in query: unexpected input {text[position:]}."
            )
        found.append((match["field"], _test(match)))
        position = match.end()
    return found


def _test(match: re.Match) -> Callable[[Any], bool]:
    if match["low"]:
        return lambda value: _as(value, match["low"]) <= value <= _as(value, match["high"])
    if match["list"] is not None:
        listed = match["list"].split(",")
        return lambda value: (
            (value in [_as(value, v.strip()) for v in listed]) != bool(match["not"])
        )
    return lambda value: SIGNS[match["sign"]](value, _as(value, match["value"]))


def _as(like: Any, text: str) -> Any:
    plain = text.strip("'\"")
    return float(plain) if isinstance(like, int | float) else plain


def _order(term: str) -> tuple[str, bool]:
    field, *direction = term.split()
    return field, [word.upper() for word in direction] == ["DESC"]


def _value(row: dict, field: str) -> Any:
    column, default = FIELDS[field]
    value = row.get(column, default)
    return value if field.startswith("metrics.") else str(value)


def _keys(query: Query) -> list[str]:
    own = [f"{name}.id" for name in (*PARENTS[query.resource], query.resource)]
    return own + [field for field in query.fields if not field.startswith("metrics.")]


def _sum(one: dict, other: dict) -> dict:
    metrics = [column for field, (column, _) in FIELDS.items() if field.startswith("metrics.")]
    return {**one, **{m: one.get(m, 0) + other.get(m, 0) for m in metrics}}


def _empty(query: Query, row: dict) -> bool:
    metrics = [field for field in query.fields if field.startswith("metrics.")]
    segmented = "segments.date" in query.fields
    return segmented and bool(metrics) and not any(_value(row, field) for field in metrics)


def _shape(query: Query, row: dict) -> dict:
    names = {"customer": f"customers/{row['customer_id']}"}
    names["campaign"] = f"{names['customer']}/campaigns/{row.get('campaign_id')}"
    names["ad_group"] = f"{names['customer']}/adGroups/{row.get('ad_group_id')}"
    shaped: dict[str, dict] = {camel(query.resource): {"resourceName": names[query.resource]}}
    for field in query.fields:
        owner, _, name = field.partition(".")
        part = shaped.setdefault(
            camel(owner), {"resourceName": names[owner]} if owner in names else {}
        )
        value = _value(row, field)
        if value or owner != "metrics":
            part[camel(name)] = str(value) if field in INT64 else value
    return shaped
