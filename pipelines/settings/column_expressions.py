"""Read a column that is made of an export's own by SQL: `"Total" - "Refunded Amount"`, `Stage = 'Won'`."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pipelines.contracts.contract import Column
from pipelines.settings.compared_kinds import (
    CHOSEN,
    RECKONED,
    RECKONED_WITH,
    Kind,
    kind_of,
    with_days,
)
from pipelines.settings.conditions import Marks, Reader, Value, as_time
from pipelines.settings.expressions import OF_VALUES, Weights, checked
from pipelines.sql import identifier

Target = Literal[
    "number", "flag", "text"
]  # what the column holds: times are texts until they are read

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def as_exact(text: str) -> str:
    """Return SQL for a text's number, to the cent, as SQL itself writes it."""
    return f"TRY_CAST({text} AS DECIMAL(18, 6))"


class Made(NamedTuple):
    """What a column is made of, in SQL: its value, whether that is a number as SQL writes it, and the
    values in it that must be readable. It is `lost` where a number it is reckoned from is empty."""

    value: str
    is_number: bool = False
    is_flag: bool = False
    values: list[Value] = []
    lost: str = "FALSE"


@lru_cache(maxsize=2000)
def is_expression(name: str) -> bool:
    """Return whether what stands under `columns:` is SQL, where an export has no column of that name.

    SQL has a text or a name in quotes; without, it has a function, a comparison, or a sign with blanks
    around it, and nothing that is not allowed: `Amount (EUR)` and `utm-source` are names, `Total - Refunds`
    and `LOWER(email)` are none.
    """
    try:
        tree, *others = sqlglot.parse(name, read="duckdb")
    except (SqlglotError, RecursionError):
        return bool(re.match(r'\s*\(*\w*\(*"[^"]+"', name)) and name.count("'") % 2 == 0
    if others or tree is None or isinstance(tree, (exp.Alias, exp.Null)):
        return False
    if any(_is_quoted(node, name) for node in tree.walk()):
        return True
    is_sql = isinstance(tree, (exp.Literal, exp.Boolean)) or any(
        isinstance(node, _OF_SQL)
        or (isinstance(node, RECKONED_WITH) and bool(re.search(" ([-+*/%]|//) ", name)))
        for node in tree.walk()
    )
    return is_sql and problem_of(name) is None


_OF_SQL: tuple[type[exp.Expr], ...] = (
    *(exp.Case, exp.Cast, exp.Predicate, exp.Connector, exp.Not, exp.DPipe),
    *OF_VALUES.functions.values(),
)


def _is_quoted(node: exp.Expr, text: str) -> bool:
    if isinstance(node, exp.Identifier):
        return bool(node.args.get("quoted")) and f'"{node.name}"' in text
    return isinstance(node, exp.Literal) and bool(node.is_string)


def problem_of(text: str) -> str | None:
    """Return what is wrong with a text as SQL, in a line; None if nothing is."""
    try:
        _checked(text)
    except ValueError as error:
        return str(error).splitlines()[0]
    return None


def columns_in(text: str) -> set[str]:
    """Return the export's columns that an expression reads."""
    return {column.name for column in _checked(text).find_all(exp.Column)}


def names_in(name: str) -> set[str]:
    """Return the export's columns that are read where this stands under `columns:`."""
    return columns_in(name) if is_expression(name) else {name}


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return an expression with other names of columns."""
    tree = _checked(text)
    for column in list(tree.find_all(exp.Column)):
        column.replace(exp.column(names.get(column.name, column.name), quoted=True))
    return str(tree.this.sql(Weights))


def target_of(column: Column) -> Target:
    """Return what SQL has to come to for a column of ours; times are texts until they are read."""
    return "number" if column.is_number else "flag" if column.type == "boolean" else "text"


def read_expression(text: str, target: Target) -> Made:
    """Return what a column is made of, over columns of texts. Raise ValueError if it is none of its kind."""
    return _tried(text, target)


def made_of(
    text: str,
    target: Target,
    values: Mapping[str, str],
    number: Reader = as_exact,
    time: Reader = as_time,
) -> Made:
    """Return what a column is made of, each column of the export by its SQL. Raise UnknownColumns."""
    kind = _tried(text, target)
    made = _over(text, target if kind.is_number else "text", values, number, time)
    return made._replace(is_number=kind.is_number, is_flag=kind.is_flag)


@lru_cache(maxsize=500)  # as conditions are
def _tried(text: str, target: Target) -> Made:
    names = columns_in(text)
    listed = ", ".join(f"{identifier(name)} TEXT" for name in sorted(names)) or "nothing TEXT"
    values = {name: identifier(name) for name in names}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"CREATE TABLE rows ({listed}); INSERT INTO rows DEFAULT VALUES")
        for read_as in dict.fromkeys((target, "text")):
            made = _over(text, read_as, values, as_exact, as_time)
            try:
                query = f"SELECT {made.value} AS value FROM rows"
                ((_, kind, *_),) = connection.execute(f"DESCRIBE {query}").fetchall()
                connection.execute(query).fetchall()
            except duckdb.Error as error:
                problem = f"DuckDB says: {str(error).splitlines()[0]}"
                continue
            if problem := _misfit(kind, target, _checked(text)):
                raise ValueError(problem)
            is_number = target == "number" and kind.startswith(_NUMBERS)
            if read_as == "text" or is_number or target != "number":
                return made._replace(is_number=is_number, is_flag=kind == "BOOLEAN")
    raise ValueError(problem or "numbers and texts are mixed in it: cast the texts, ::DOUBLE")


def _misfit(kind: str, target: Target, tree: exp.Expr) -> str:
    """Return what is wrong with what an expression comes to, for the column that it is to fill."""
    if target == "number" and kind == "VARCHAR" and any(tree.find_all(*RECKONED)):
        return "numbers and texts are mixed in it: cast the texts, as in SPLIT_PART(…)::DOUBLE"
    if target == "number" and kind not in ("VARCHAR",) and not kind.startswith(_NUMBERS):
        return f"it is {kind}, not a number; write CASE WHEN … THEN 1 ELSE 0 END"
    if target == "flag" and kind not in ("BOOLEAN", "VARCHAR", "INTEGER"):
        return f"it is {kind}, not true or false; compare it, as in Stage = 'Won'"
    return ""


def _over(
    text: str, target: Target, values: Mapping[str, str], number: Reader, time: Reader
) -> Made:
    tree, marks = _checked(text), Marks(number, time)
    columns = list(tree.find_all(exp.Column))
    kinds = {id(column): _kind(column, target) for column in columns}
    reckoned = [node for node in tree.find_all(*RECKONED) if node.find(exp.Column)]
    marks.put_columns(tree, values, lambda column: kinds[id(column)])
    written, read = marks.resolved(tree)
    lost = marks.without(_lost(tree.this, reckoned)) if target == "number" else "FALSE"
    return Made(written, values=read, lost=f"({written}) IS NULL AND ({lost})")


def _kind(column: exp.Column, target: Target) -> Kind | None:
    """Return what a column's text is read as: what comes out of the expression, as what it fills."""
    value: exp.Expr = column
    while (within := value.parent) is not None:
        is_branch = isinstance(within, exp.If) and value.arg_key in ("true", "false")
        is_default = isinstance(within, exp.Case) and value.arg_key == "default"
        is_choice = isinstance(within, exp.Case) and value.arg_key == "ifs"
        if isinstance(within, (exp.Paren, *CHOSEN)) or is_branch or is_default or is_choice:
            value = within
            continue
        if isinstance(within, exp.Case) or (
            isinstance(within, exp.If)
            and isinstance(within.parent, exp.Case)
            and within.parent.this
        ):
            return None  # CASE Status WHEN 'paid' compares texts
        return kind_of(value)
    return "number" if target == "number" else None


def _lost(node: exp.Expr, reckoned: Sequence[exp.Expr]) -> str:
    """Return SQL for whether a number comes to nothing, as one that it is reckoned from is empty.

    Of a CASE it is so for the branch that is taken.
    """
    if isinstance(node, exp.Paren):
        return _lost(node.this, reckoned)
    if isinstance(node, exp.Case):
        subject = f"{node.this.sql(Weights)} " if node.this else ""
        branches = " ".join(
            f"WHEN {each.this.sql(Weights)} THEN {_lost(each.args['true'], reckoned)}"
            for each in node.args["ifs"]
        )
        default = node.args.get("default")
        return (
            f"CASE {subject}{branches} ELSE {_lost(default, reckoned) if default else 'FALSE'} END"
        )
    if any(node is each for each in reckoned):
        parts = [f"{column.sql(Weights)} IS NOT NULL" for column in node.find_all(exp.Column)]
        return f"({node.sql(Weights)}) IS NULL AND ({' OR '.join(parts)})"
    return "FALSE"


def _checked(text: str) -> exp.Expr:
    return with_days(checked(text, OF_VALUES))
