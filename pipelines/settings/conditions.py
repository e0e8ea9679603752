"""Read which rows of an export count: an SQL condition over the export's own columns."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import duckdb
from sqlglot import exp

from pipelines.settings.compared_kinds import (
    Kind,
    is_open_to_nothing,
    kind_of,
    kind_of_cast,
    with_days,
)
from pipelines.settings.expressions import OF_CONDITIONS, Weights, checked
from pipelines.sql import identifier

Reader = Callable[
    [str], str
]  # of the SQL of a text, that of its number or time; NULL if it is none


class Value(NamedTuple):
    """A value that a condition reads as a number, a time or a flag: what it is called there.

    `text` is SQL for what was delivered; `unreadable` for whether it is no such thing, so that the
    condition cannot say whether the row counts: in `Status = 'Paid' AND Amount > 100` an amount
    matters only if it was paid. What a column `of` ours is made of is read likewise.
    """

    name: str
    kind: Kind
    text: str
    unreadable: str
    of: str = ""


class Condition(NamedTuple):
    """A condition in SQL: whether a row counts, and the values that have to be readable for that.

    `otherwise` is whether it would count if the numbers were written in the other way.
    """

    counts: str
    values: list[Value] = []
    otherwise: str = ""


def as_number(text: str) -> str:
    """Return SQL for a text's number, as SQL itself writes it."""
    return f"TRY_CAST({text} AS DOUBLE)"


def as_time(text: str) -> str:
    """Return SQL for a text's time, as SQL itself writes it: to DuckDB 3/10/26 is a day of the year 3."""
    time = f"TRY_CAST({text} AS TIMESTAMP)"
    return f"CASE WHEN {time} BETWEEN '1970-01-01' AND '2100-01-01' THEN {time} END"


class UnknownColumns(ValueError):
    """A condition names columns that an export lacks."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        super().__init__(", ".join(self.names))


def columns_of(text: str) -> set[str]:
    """Return the names of the columns that a condition reads."""
    return {column.name for column in _condition(text).find_all(exp.Column)}


def read_condition(text: str) -> list[Value]:
    """Return what a condition compares, over columns of texts. Raise ValueError if it is none."""
    return list(_tried(text))


@lru_cache(
    maxsize=500
)  # settings are read by each step of a command, and DuckDB is asked each time
def _tried(text: str) -> tuple[Value, ...]:
    tree = _condition(text)
    names = {column.name for column in tree.find_all(exp.Column)}
    condition, values, _ = condition_over(text, {name: identifier(name) for name in names})
    columns = ", ".join(f"{identifier(name)} TEXT" for name in sorted(names)) or "nothing TEXT"
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(f"CREATE TABLE rows ({columns})")
            connection.execute("INSERT INTO rows DEFAULT VALUES")
            ((_, kind, *_),) = connection.execute(
                f"DESCRIBE SELECT {condition} AS counts FROM rows"
            ).fetchall()
            connection.execute(f"SELECT {condition} FROM rows").fetchall()
    except duckdb.Error as error:
        raise ValueError(f"DuckDB says: {str(error).splitlines()[0]}") from None
    if kind != "BOOLEAN":
        raise ValueError(f"it is {kind}, not true or false; compare it, as in Status = 'Paid'")
    return tuple(values)


def condition_over(
    text: str, values: Mapping[str, str], number: Reader = as_number, time: Reader = as_time
) -> Condition:
    """Return a condition as SQL, each column by the SQL of its value. Raise UnknownColumns.

    Values are texts, without blanks around them; what is compared with a number is read as one, by
    `number`, what is compared with a day as a time, by `time`, and what stands alone as true or false.
    """
    tree, marks = _condition(text), Marks(number, time)
    marks.put_columns(tree, values, kind_of)
    written, read = marks.resolved(tree)
    return Condition(f"COALESCE({written}, FALSE)", read)


def delivered(value: str) -> str:
    """Return SQL for a column's value as a text, without blanks around it; NULL if it is empty."""
    return f"NULLIF(TRIM(({value})::TEXT), '')"


class Marks:
    """Stands in for each value of an expression until it is written: what it is, and how it is read."""

    def __init__(self, number: Reader, time: Reader) -> None:
        self._number, self._time = number, time
        self._written: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._read: list[tuple[str, Kind, str, str, bool]] = []

    def put_columns(
        self,
        tree: exp.Expr,
        values: Mapping[str, str],
        kind: Callable[[exp.Column], Kind | None],
    ) -> None:
        """Put marks in the place of columns, and of what is cast. Raise UnknownColumns."""
        columns = list(tree.find_all(exp.Column))
        if missing := {column.name for column in columns} - values.keys():
            raise UnknownColumns(missing)
        for column, read_as in [(column, kind(column)) for column in columns]:
            self.put(column, column.name, delivered(values[column.name]), read_as)
        for cast in reversed(list(tree.find_all(exp.Cast))):  # the innermost first
            operand = cast.this.sql(Weights)
            self.put(cast, self.named(operand), operand, kind_of_cast(cast), cast.to.sql(Weights))

    def put(self, node: exp.Expr, name: str, text: str, kind: Kind | None, as_: str = "") -> None:
        """Put a mark in the place of a value; one of some kind is read as that, and cast."""
        mark = f"__value_{len(self._written)}__"
        read = self._as(kind, text) if kind else text
        self._written[identifier(mark)] = f"TRY_CAST({read} AS {as_})" if as_ else read
        self._names[identifier(mark)] = name
        if kind:
            self._read.append((name, kind, text, read, is_open_to_nothing(node)))
        node.replace(exp.column(mark, quoted=True))

    def named(self, text: str) -> str:
        """Return a piece of SQL with the names of its columns, for a reader."""
        for mark, name in self._names.items():
            text = text.replace(mark, name)
        return text

    def resolved(self, tree: exp.Expr) -> tuple[str, list[Value]]:
        """Return the expression without marks, and the values in it that must be readable."""
        written = self.without(tree.sql(Weights))
        values: dict[tuple[str, Kind], Value] = {}
        for name, kind, text, read, is_open in self._read:
            text, read = self.without(text), self.without(read)
            unreadable = f"({text} IS NOT NULL AND ({read}) IS NULL)"
            if is_open:
                unreadable = f"({unreadable} AND ({written}) IS NULL)"
            if (known := values.get((name, kind))) and known.unreadable != unreadable:
                unreadable = f"({known.unreadable} OR {unreadable})"
            values[name, kind] = Value(name, kind, text, unreadable)
        return written, list(values.values())

    def without(self, text: str) -> str:
        """Return a piece of SQL without marks."""
        for mark, value in reversed(self._written.items()):  # a later one may hold an earlier one
            text = text.replace(mark, value)
        return text

    def _as(self, kind: Kind, text: str) -> str:
        if kind == "number":
            return self._number(text)
        return f"TRY_CAST({text} AS BOOLEAN)" if kind == "flag" else self._time(text)


def _condition(text: str) -> exp.Expr:
    """Return a condition in which all is allowed, with its days as SQL writes them."""
    return with_days(checked(text, OF_CONDITIONS))
