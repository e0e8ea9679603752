"""Have SQLMesh and sqlglot reckon once what they would reckon for every model, with the same result.

Names of tables are parsed again for each model that may read them, positions of words are copied
one by one, what is installed is read for each plan, and every column's comment is written to
the disk by itself. Of four clients' first morning that was a fifth of the work.
"""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from functools import cache, lru_cache, wraps
from typing import Any

import duckdb
from sqlglot import exp
from sqlglot.expressions import builders, core
from sqlmesh.core import context_diff
from sqlmesh.core.engine_adapter import DuckDBEngineAdapter
from sqlmesh.core.macros import MacroEvaluator
from sqlmesh.core.snapshot import definition

from pipelines.sql import identifier, literal

_LONGEST = 4_000  # characters of a text that is remembered as it was parsed
_PLAIN = (int, str, bool, type(None))


def reckon_once() -> None:
    """Put what remembers, or does all at once, in the place of what does not."""
    if hasattr(definition.table_name, "cache_info"):
        return
    definition.table_name = cache(definition.table_name)
    builders.normalize_table_name = _once_a_text(builders.normalize_table_name)
    exp.normalize_table_name = builders.normalize_table_name
    core.deepcopy = _copied  # type: ignore[assignment]
    context_diff.metadata.packages_distributions = cache(
        context_diff.metadata.packages_distributions
    )
    MacroEvaluator.parse_one = _once_a_query(MacroEvaluator.parse_one)  # type: ignore[method-assign]
    write = DuckDBEngineAdapter._create_column_comments
    DuckDBEngineAdapter._create_column_comments = _at_once(write)  # type: ignore[method-assign]


def _once_a_text(normalize: Callable[..., str]) -> Callable[..., str]:
    """Return a function that normalises a name which is a text once; a parsed one may be changed."""
    of_text = cache(normalize)

    @wraps(normalize)
    def normalized(table: str | exp.Table, dialect: Any = None, copy: bool = True) -> str:
        if isinstance(table, str) and isinstance(dialect, str | None):
            return of_text(table, dialect)
        return normalize(table, dialect, copy)

    return normalized


def _once_a_query(parse: Callable[..., exp.Expr]) -> Callable[..., exp.Expr]:
    """Return a function that parses what macros made once, and gives a copy of it each time.

    A model is rendered when it is loaded, created, computed and followed; what its macros made is
    mostly the same. A client's models have some two hundred such texts below the bound.
    """

    @lru_cache(maxsize=300)
    def of_text(text: str, dialect: Any) -> exp.Expr:
        return exp.maybe_parse(text, dialect=dialect)

    @wraps(parse)
    def parsed(self: MacroEvaluator, sql: Any, into: Any = None, **options: Any) -> exp.Expr:
        if type(sql) is str and len(sql) <= _LONGEST and not into and not options:
            return of_text(sql, self.dialect).copy()
        return parse(self, sql, into, **options)

    return parsed


def _copied(value: Any) -> Any:
    """Return a deep copy; of numbers and texts by name, as the positions of a word, a shallow one is."""
    if type(value) is dict and all(type(each) in _PLAIN for each in value.values()):
        return value.copy()
    return deepcopy(value)


def _at_once(one_by_one: Callable) -> Callable:
    """Write the comments of a table's columns in one transaction; one by one where that fails."""

    @wraps(one_by_one)
    def written(
        self: DuckDBEngineAdapter,
        table_name: str | exp.Table,
        column_comments: dict[str, str],
        *kind: Any,
        **named: Any,
    ) -> None:
        table = exp.to_table(table_name).sql("duckdb", identify=True, comments=False)
        comments = [
            f"COMMENT ON COLUMN {table}.{identifier(column)} IS {literal(comment)}"
            for column, comment in column_comments.items()
        ]
        try:
            self.execute("; ".join(["BEGIN", *comments, "COMMIT"]))
        except duckdb.Error:  # such as a column that is no longer there: the others are written
            with suppress(duckdb.Error):
                self.execute("ROLLBACK")
            one_by_one(self, table_name, column_comments, *kind, **named)

    return written
