"""Read which rows of an export count: an SQL condition over the export's own columns."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import duckdb
from sqlglot import exp

from pipelines.settings.compared_kinds import Kind, is_open_to_nothing, kind_of, kind_of_cast
from pipelines.settings.expressions import COLUMNS, Weights, checked
from pipelines.sql import identifier

Number = Callable[[str], str]  # of the SQL of a text, that of its number; NULL if it is none


class Value(NamedTuple):
    """A value that a condition reads as a number, a time or a flag: what it is called there.

    `text` is SQL for what was delivered; `unreadable` for whether it is no such thing, so that the
    condition cannot say whether the row counts: in `Status = 'Paid' AND Amount > 100` an amount
    matters only if it was paid.
    """

    name: str
    kind: Kind
    text: str
    unreadable: str


class Condition(NamedTuple):
    """A condition in SQL: whether a row counts, and the values that have to be readable for that.

    `otherwise` is whether it would count if the numbers were written in the other way.
    """

    counts: str
    values: list[Value] = []
    otherwise: str = ""


def _number(text: str) -> str:
    return f"TRY_CAST({text} AS DOUBLE)"


class UnknownColumns(ValueError):
    """A condition names columns that an export lacks."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        super().__init__(", ".join(self.names))


def columns_of(text: str) -> set[str]:
    """Return the names of the columns that a condition reads."""
    return {column.name for column in _checked(text).find_all(exp.Column)}


def read_condition(text: str) -> list[Value]:
    """Return what a condition compares, over columns of texts. Raise ValueError if it is none."""
    return list(_tried(text))


@lru_cache(
    maxsize=500
)  # settings are read by each step of a command, and DuckDB is asked each time
def _tried(text: str) -> tuple[Value, ...]:
    tree = _checked(text)
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


def condition_over(text: str, values: Mapping[str, str], number: Number = _number) -> Condition:
    """Return a condition as SQL, each column by the SQL of its value. Raise UnknownColumns.

    Values are texts, without blanks around them; what is compared with a number is read as one, by
    `number`, what is larger or smaller than a day as a time, and what stands alone as true or false.
    """
    tree = _checked(text)
    columns = list(tree.find_all(exp.Column))
    if missing := {column.name for column in columns} - values.keys():
        raise UnknownColumns(missing)
    marks = _Marks(number)
    for column, kind in [(column, kind_of(column)) for column in columns]:
        delivered = f"NULLIF(TRIM(({values[column.name]})::TEXT), '')"
        marks.put(column, column.name, delivered, kind)
    for cast in reversed(list(tree.find_all(exp.Cast))):  # the innermost first
        operand = cast.this.sql(Weights)
        marks.put(cast, marks.named(operand), operand, kind_of_cast(cast), cast.to.sql(Weights))
    return marks.condition(tree.sql(Weights))


class _Marks:
    """Stands in for each value of a condition until it is written: what it is, and how it is read."""

    def __init__(self, number: Number) -> None:
        self._number = number
        self._written: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._read: list[tuple[str, Kind, str, str, bool]] = []

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

    def condition(self, written: str) -> Condition:
        """Return the condition without marks, and the values in it that must be readable."""
        written = self._resolved(written)
        values: dict[tuple[str, Kind], Value] = {}
        for name, kind, text, read, is_open in self._read:
            text, read = self._resolved(text), self._resolved(read)
            unreadable = f"({text} IS NOT NULL AND ({read}) IS NULL)"
            if is_open:
                unreadable = f"({unreadable} AND ({written}) IS NULL)"
            if (known := values.get((name, kind))) and known.unreadable != unreadable:
                unreadable = f"({known.unreadable} OR {unreadable})"
            values[name, kind] = Value(name, kind, text, unreadable)
        return Condition(f"COALESCE({written}, FALSE)", list(values.values()))

    def _resolved(self, text: str) -> str:
        for mark, value in reversed(self._written.items()):  # a later one may hold an earlier one
            text = text.replace(mark, value)
        return text

    def _as(self, kind: Kind, text: str) -> str:
        if kind == "number":
            return self._number(text)
        return f"TRY_CAST({text} AS BOOLEAN)" if kind == "flag" else _TIME.format(text=text)


# To DuckDB 3/10/26 is a day of the year 3.
_TIME = """CASE WHEN TRY_CAST({text} AS TIMESTAMP) BETWEEN '1970-01-01' AND '2100-01-01'
  THEN TRY_CAST({text} AS TIMESTAMP) END"""


def _checked(text: str) -> exp.Expr:
    """Return a condition in which all is allowed; what is said of columns is said of the export's."""
    try:
        return _with_whole_names(checked(text, None))
    except ValueError as error:
        listed = ", ".join(COLUMNS)
        said = str(error).replace(f"allowed are the columns {listed}", "allowed are its columns")
        said = said.replace(f"the columns are {listed}", 'as in "Financial Status"')
        raise ValueError(
            said.replace("write the weight of a touchpoint", "write which rows count")
        ) from None


def _with_whole_names(tree: exp.Expr) -> exp.Expr:
    """Return a condition in which `properties.plan` is one name: of a column, or of what lies within one."""
    for column in list(tree.find_all(exp.Column)):
        if column.table:
            name = ".".join(part.name for part in column.parts)
            column.replace(exp.column(name, quoted=True))
    return tree
