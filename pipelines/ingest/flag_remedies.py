"""Say how a column of flags is read that has other words than true and false: which of its values is true."""

import re

import duckdb

from pipelines.ingest.judged_rows import Judged
from pipelines.settings.apis import Api
from pipelines.settings.column_expressions import is_expression
from pipelines.sources.batches import Remedy
from pipelines.sources.flag_words import LISTS
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import identifier, literal

_MOST = 5  # values, each of which may be the one

_NOT_WON = re.compile("lost|verlor|open|offen|reject|declin|denied|refus|abgelehnt")
_TRUE = set().union(*(true for true, _ in LISTS.values()))


def remedies(connection: duckdb.DuckDBPyConnection, judged: Judged) -> list[Remedy]:
    """Return the lines that say which values of a column are true: all that are words for it, or one of its values."""
    feed = judged.feed
    if isinstance(feed, Api):
        return []
    for column, kind in judged.contract.columns.items():
        names = feed.names(column)
        if kind.type != "boolean" or column == "is_deleted" or len(names) != 1:
            continue
        values = _values(connection, judged, column)
        if values and len(values) <= _MOST and not is_expression(names[0]):
            return _which(column, names[0], values)
    return []


def _values(connection: duckdb.DuckDBPyConnection, judged: Judged, column: str) -> list[str]:
    """Return the values of a column of flags, the most frequent first, if some are none."""
    text = f"{column}::TEXT"
    query = f"""SELECT {text}, BOOL_OR(CONTAINS(COALESCE(reason, ''), CONCAT({literal(column + " '")}, {text})))
      FROM {judged.rows} AS judged WHERE {column} IS NOT NULL
      GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT {_MOST + 1}"""
    found = connection.execute(query).fetchall()
    return [value for value, _ in found] if any(is_bad for _, is_bad in found) else []


def _which(column: str, name: str, values: list[str]) -> list[Remedy]:
    called = name if re.fullmatch("[A-Za-z][A-Za-z_]*", name) else identifier(name)
    if known := [value for value in values if value.lower() in _TRUE]:
        listed = ", ".join(map(literal, known))
        sql = f"{called} IS NOT NULL AND {called} IN ({listed})"
        return [_remedy(column, sql, f"{listed} are true, and all else is false")]
    return [
        _remedy(column, f"{called} = {literal(value)}", f"{literal(value)} alone is true")
        for value in sorted(values, key=lambda value: bool(_NOT_WON.search(value.lower())))
    ]


def _remedy(column: str, sql: str, meaning: str) -> Remedy:
    return Remedy(f"{column}: {scalar(sql)}", below="columns", meaning=meaning)
