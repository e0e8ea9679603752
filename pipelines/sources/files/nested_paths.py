"""Read what lies within a column: `context.campaign.source`, `event_params.ga_session_id`, `items[0].name`.

A column holds JSON, or a text of JSON; a path goes through its objects, through lists by `[0]`, and
through lists of key and value by the key. A column that is called like the whole path goes first.
What a path finds that is no value, such as an object, is marked by a NUL before it: such a row is bad.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.sources.batches import Rows
from pipelines.sources.nothing import something
from pipelines.sql import BLANKS, literal

KINDS = ("string_value", "int_value", "float_value", "double_value")  # of a value in GA4's exports

_STEPS = re.compile(r"(?:[^.\[\]]+|\[\d+\])(?:\.[^.\[\]]+|\[\d+\])*")
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")
_SAMPLE = 1000  # rows of a file that are looked at to say what is within a column
_DEEPEST = 5
_STREAM = "streamed_rows"  # of a database, which is read once


class Path(NamedTuple):
    """A way into a column: keys of objects and lists, and places in lists, as `[0]`."""

    head: str
    steps: tuple[str, ...]

    @property
    def pointer(self) -> str:
        """Return it as a JSON pointer."""
        return _pointer(self.steps)


class Found(NamedTuple):
    """Rows whose columns have those within others, too: which paths lead nowhere, and what is there.

    `within` has, by column, the paths in it.
    """

    rows: Rows
    nowhere: dict[str, Path]
    within: dict[str, list[str]]


def path_of(name: str, present: Collection[str]) -> Path | None:
    """Return where a name leads within a column that is there; the longest name of one goes first."""
    if name in present or not _STEPS.fullmatch(name):
        return None
    ends = [found.start() for found in re.finditer(r"[.\[]", name)]
    for end in reversed(ends):
        if name[:end] in present:
            return Path(name[:end], tuple(_STEP.findall(name[end:])))
    return None


def path_into(head: str, path: str) -> str:
    """Return the name of what lies within a column."""
    return f"{head}{path}" if path.startswith("[") else f"{head}.{path}"


def with_nested(
    connection: duckdb.DuckDBPyConnection, rows: Rows, names: Iterable[str], contract: Contract
) -> Found:
    """Return the rows with a column for each name that leads into one of theirs."""
    paths = {name: path for name in sorted(names) if (path := path_of(name, rows.columns))}
    if not paths:
        return Found(rows, {}, {})
    if rows.relation == _STREAM:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE nested_rows AS FROM {_STREAM}")
        rows = rows._replace(relation="nested_rows")
    columns, nowhere, within = dict(rows.columns), dict[str, Path](), dict[str, list[str]]()
    texts: list[str] = []
    for place, head in enumerate(dict.fromkeys(path.head for path in paths.values())):
        of_head = {name: path for name, path in paths.items() if path.head == head}
        text = something(_text(rows.columns[head]), _any_text(contract), contract)
        values, lost = _values(connection, rows.relation, text, of_head, f"nested_{place}")
        texts.append(f"{values.pop('')} AS nested_{place}")
        columns |= values
        nowhere |= {name: of_head[name] for name in lost}
        if lost:
            within[head] = _leaves(connection, rows.relation, text)
    relation = f"(SELECT *, {', '.join(texts)} FROM {rows.relation})"
    return Found(rows._replace(relation=relation, columns=columns), nowhere, within)


def _values(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    text: str,
    paths: Mapping[str, Path],
    column: str,
) -> tuple[dict[str, str], list[str]]:
    """Return SQL for the value of each path in a column, and the names that lead nowhere.

    Under '' is what all of them are made of; it is read once a row. Objects within objects are
    looked into at once, which is fast; whatever else there is, step by step.
    """
    steps = list(dict.fromkeys(path.steps for path in paths.values()))
    ways = list(dict.fromkeys(way[:end] for way in steps for end in range(len(way))))
    pointers = ", ".join(literal(_pointer(way)) for way in [*ways, *steps])
    kinds = f"TRY(json_type({text}, [{pointers}]))"
    found = connection.execute(
        f"SELECT DISTINCT {kinds} FROM {relation} WHERE {text} IS NOT NULL"
    ).fetchall()
    if all(each and _is_plain(each, ways, steps) for (each,) in found):
        values = {n: f"{column}[{steps.index(p.steps) + 1}]" for n, p in paths.items()}
        read = ", ".join(literal(_pointer(way)) for way in steps)
        there = [any(each[len(ways) + at] for (each,) in found) for at in range(len(steps))]
        lost = [name for name, path in paths.items() if not there[steps.index(path.steps)]]
        return values | {"": f"json_extract_string({text}, [{read}])"}, lost
    start = f"CASE WHEN json_valid({text}) THEN {text}::JSON ELSE {_marked(text)} END"
    walked = {name: _walked(column, path.steps) for name, path in paths.items()}
    counts = ", ".join(f"COUNT({_final(way)})" for way in walked.values())
    (sums,) = connection.execute(
        f"SELECT {counts} FROM (SELECT {start} AS {column} FROM {relation})"
    ).fetchall()
    lost = [name for name, count in zip(walked, sums) if not count]
    return {name: _final(way) for name, way in walked.items()} | {"": start}, lost


def _is_plain(kinds: list[str | None], ways: list[Any], steps: list[Any]) -> bool:
    """Return whether a row has objects on the way, or nothing, and values where paths end."""
    on_the_way, at_the_end = kinds[: len(ways)], kinds[len(ways) :]
    through_lists = {
        way for each in steps for end, way in _prefixes(each) if each[end].startswith("[")
    }
    fits = [
        kind in (None, "NULL", "OBJECT") or (kind == "ARRAY" and way in through_lists)
        for way, kind in zip(ways, on_the_way)
    ]
    return all(fits) and not {"OBJECT", "ARRAY"} & set(at_the_end)


def _prefixes(steps: tuple[str, ...]) -> list[tuple[int, tuple[str, ...]]]:
    return [(end, steps[:end]) for end in range(len(steps))]


def _walked(value: str, steps: tuple[str, ...]) -> str:
    """Return SQL for what a path finds, as JSON: step by step, whatever is on the way."""
    for step in steps:
        value = f"LIST_TRANSFORM([{value}], lambda held: {_step(step)})[1]"
    return value


def _step(step: str) -> str:
    pointer, text = literal(_pointer((step,))), "json_extract_string(held, '$')"
    within = f"json_extract({text}, {pointer})"
    in_text = f"CASE WHEN TRY(json_type({text})) IN ('OBJECT', 'ARRAY') THEN {within} WHEN {text} <> '' THEN {_marked(text)} END"
    if step.startswith("["):
        return f"""CASE WHEN json_type(held) = 'ARRAY' THEN json_extract(held, {pointer})
          WHEN json_type(held) <> 'NULL' THEN {_marked("held::TEXT")} END"""
    entry = "COALESCE(json_extract_string(entry, '$.key'), json_extract_string(entry, '$.name'))"
    entries = f"""LIST_DISTINCT(LIST_TRANSFORM(
      LIST_FILTER(json_extract(held, '$[*]'), lambda entry: {entry} = {literal(step)}),
      lambda entry: json_extract(entry, '$.value')))"""
    return f"""CASE json_type(held) WHEN 'OBJECT' THEN json_extract(held, {pointer})
      WHEN 'ARRAY' THEN CASE WHEN LEN({entries}) > 1 THEN {_marked("held::TEXT")} ELSE {entries}[1] END
      WHEN 'NULL' THEN NULL ELSE {in_text} END"""


def _final(value: str) -> str:
    """Return SQL for what a path found, as text; marked, if it is no value."""
    kinds = ", ".join(f"json_extract_string(held, '$.{kind}')" for kind in KINDS)
    is_kinds = f"LEN(LIST_INTERSECT(json_keys(held), {list(KINDS)})) = LEN(json_keys(held))"
    return f"""LIST_TRANSFORM([{value}], lambda held: CASE json_type(held)
      WHEN 'OBJECT' THEN CASE WHEN {is_kinds} THEN COALESCE({kinds}) ELSE CHR(0) || held::TEXT END
      WHEN 'ARRAY' THEN CHR(0) || held::TEXT
      ELSE json_extract_string(held, '$') END)[1]"""


def _marked(text: str) -> str:
    """Return SQL for a text that is no value, as JSON."""
    return f"to_json(CHR(0) || LTRIM({text}, CHR(0)))"


def _text(value: str) -> str:
    return f"NULLIF(TRIM({value}::TEXT, {literal(BLANKS)}), '')"


def _any_text(contract: Contract) -> str:
    return next(
        name for name, each in contract.columns.items() if not (each.is_number or each.is_somebody)
    )


def _pointer(steps: tuple[str, ...]) -> str:
    escaped = [step.strip("[]").replace("~", "~0").replace("/", "~1") for step in steps]
    return "".join(f"/{step}" for step in escaped)


def _leaves(connection: duckdb.DuckDBPyConnection, relation: str, text: str) -> list[str]:
    """Return the paths within a column, as some rows have them."""
    query = f"SELECT DISTINCT {text} FROM {relation} WHERE json_valid({text}) LIMIT {_SAMPLE}"
    paths: dict[str, None] = {}
    for (each,) in connection.execute(query).fetchall():
        _add_leaves(json.loads(each), "", paths)
    return sorted(paths)


def _add_leaves(value: Any, before: str, paths: dict[str, None]) -> None:
    if before.count(".") + before.count("[") > _DEEPEST:
        return
    if isinstance(value, dict) and not (before and value.keys() <= set(KINDS)):
        for key, each in value.items():
            _add_leaves(each, f"{before}.{key}", paths)
    elif isinstance(value, list):
        for place, each in enumerate(value[:20]):
            name = isinstance(each, dict) and (each.get("key") or each.get("name"))
            if name and "value" in each:
                _add_leaves(each["value"], f"{before}.{name}", paths)
            elif place == 0:
                _add_leaves(each, f"{before}[0]", paths)
    elif before:
        paths[before.removeprefix(".")] = None
