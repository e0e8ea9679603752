"""Find JSON objects in which a key stands twice: nobody knows which of its values is meant.

JSON leaves open what that says, and programs differ: some take the first value, some the last.
"""

from collections.abc import Iterable

import duckdb

from pipelines.sql import literal

SAID = "stands twice in the object"
_NESTED = f"a key {SAID}: in one within it"


def keys_of_lines(
    connection: duckdb.DuckDBPyConnection, numbered: str
) -> tuple[dict[str, int], bool]:
    """Return the keys of the objects in lines, how often a line has each at most, and whether a line is none."""
    found = connection.execute(
        f"""WITH objects AS (
          SELECT DISTINCT TRY(IF(STARTS_WITH(LTRIM(text), '{{'), json_keys(text), NULL)) AS keys
          FROM ({numbered})
        ), counted AS (
          SELECT number, key, COUNT(*) AS times FROM (
            SELECT ROW_NUMBER() OVER () AS number, UNNEST(COALESCE(keys, [NULL])) AS key FROM objects
          ) GROUP BY number, key
        ) SELECT key, MAX(times) FROM counted GROUP BY key"""
    ).fetchall()
    keys = {key: times for key, times in found if key is not None}
    return keys, len(keys) < len(found)


def fault(
    connection: duckdb.DuckDBPyConnection, numbered: str, twice: Iterable[str], is_nested: bool
) -> str:
    """Return SQL for what is wrong with a line that has a key twice, NULL for others; '' if none has.

    Keys that are read count, and where objects within the line are read, all of theirs.
    """
    found = [
        f"WHEN {_has_twice(key)} THEN {literal(f'the key {key} {SAID}')}" for key in sorted(twice)
    ]
    if is_nested and _is_found(connection, numbered):
        found.append(f"WHEN {_repeats(_WITHIN)} THEN {literal(_NESTED)}")
    return f"CASE {' '.join(found)} END" if found else ""


_WITHIN = "TRY(json_keys(text, '$..*'))"


def _has_twice(key: str) -> str:
    return f"LEN(LIST_FILTER(TRY(json_keys(text)), lambda key: key = {literal(key)})) > 1"


def _repeats(lists: str) -> str:
    """Return SQL for whether one of several lists of keys has a key twice."""
    return f"LEN(LIST_FILTER({lists}, lambda keys: LEN(keys) <> LEN(LIST_DISTINCT(keys)))) > 0"


def _is_found(connection: duckdb.DuckDBPyConnection, numbered: str) -> bool:
    lists = f"SELECT DISTINCT {_WITHIN} AS lists FROM ({numbered}) WHERE CONTAINS(SUBSTR(text, 2), '{{')"
    query = f"FROM ({lists}) WHERE {_repeats('lists')} LIMIT 1"
    return bool(connection.execute(query).fetchall())
