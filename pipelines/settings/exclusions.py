"""Say whose touchpoints and conversions are left out, such as test accounts, and write that as SQL.

Rules on customers, by id or e-mail address, leave out all that is theirs. Rules on any other column
leave out the rows that have the value.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import duckdb
from pydantic import BeforeValidator, Field

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.salesforce_ids import whole_id
from pipelines.settings.event_columns import property_of
from pipelines.settings.sources import Sources
from pipelines.sql import identifier, literal

OF_CUSTOMERS = ("customer_id", "client_id", "email")
TABLES = {  # that have touchpoints or conversions; rules are on their texts
    "sessions": ("web", "sessions"),
    "events": ("web", "events"),
    "sales": ("web", "conversions"),
    "deals": ("salesforce", "opportunities"),
}


def _listed(written: Any) -> Any:
    """Take one value for a list of it."""
    return written if isinstance(written, list) else [written]


Values = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    Field(min_length=1, max_length=1000),
    BeforeValidator(_listed),
    "a value, a pattern such as '*@example.com', or a list of them",
]
Exclude = dict[Annotated[str, Field(min_length=1)], Values]


def know_their_columns(exclude: Exclude, sources: Sources) -> None:
    """Raise ValueError for a rule on a column that nothing of the client's has."""
    known = [*OF_CUSTOMERS, *(name for kind in TABLES for name in _columns(sources, kind))]
    for name in exclude:
        if name not in known:
            raise ValueError(
                f"{name}: there is no such column; use one of {', '.join(dict.fromkeys(known))}."
                " A further column of events is named under sources.web.events.properties"
            )


def excluded_rows(exclude: Exclude, sources: Sources, kind: str) -> str:
    """Return SQL for the rule that leaves out a row of a kind of table, such as `events`; NULL for none."""
    columns = _columns(sources, kind)
    rules = {name: values for name, values in exclude.items() if name in columns}
    others = {name: values for name, values in rules.items() if name not in OF_CUSTOMERS[:2]}
    return _first(_branches(name, values, [columns[name]]) for name, values in others.items())


def excluded_customers(exclude: Exclude, columns: Iterable[str] = ("customer_id",)) -> str:
    """Return SQL for the rule that leaves out whoever has one of some names; NULL for none."""
    names = list(columns)
    return _first(_branches(name, exclude[name], names) for name in OF_CUSTOMERS if name in exclude)


def _columns(sources: Sources, kind: str) -> dict[str, str]:
    """Return the columns of a kind of table that are texts, each with its SQL in staging."""
    source, table = TABLES[kind]
    export = getattr(getattr(sources, source), table, None)
    own = export.properties if export and kind == "events" else {}
    texts = {
        name: identifier(name)
        for name, column in CONTRACTS[source][table].columns.items()
        if column.type == "text" and not column.gathered
    }
    is_there = table in sources.of(source)
    return texts | {name: property_of(name) for name in own} if is_there else {}


def _first(branches: Iterable[list[str]]) -> str:
    """Return SQL for the first rule that holds."""
    flat = [branch for each in branches for branch in each]
    return f"CASE {' '.join(flat)} END" if flat else "NULL::TEXT"


def _branches(rule: str, values: list[str], columns: list[str]) -> list[str]:
    """Return branches of a CASE: a value that is listed, or a pattern, and what the rule is called."""
    plain = [_whole(value).lower() for value in values if "*" not in value]
    found = []
    for column in columns:
        if plain:
            listed = ", ".join(map(literal, plain))
            name = f"CONCAT({literal(f'{rule}: ')}, LOWER({column}))"
            found.append(f"WHEN LOWER({column}) IN ({listed}) THEN {name}")
        for value in values:
            if "*" in value:
                pattern = ".*".join(map(re.escape, value.split("*")))
                matches = f"REGEXP_FULL_MATCH({column}, {literal(pattern)}, 'si')"
                found.append(f"WHEN {matches} THEN {literal(f'{rule}: {value}')}")
    return found


def _whole(value: str) -> str:
    """Return a value as staging has it: an id of Salesforce's has 18 characters."""
    ((text,),) = duckdb.execute(
        f"SELECT {whole_id('id')} FROM (SELECT ? AS id)", [value]
    ).fetchall()
    return text
