"""Read which rows of an export count: an SQL condition over the export's own columns."""

from collections.abc import Iterable, Mapping

import duckdb
from sqlglot import exp

from pipelines.settings.expressions import COLUMNS, Weights, checked
from pipelines.sql import identifier

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_RECKONED = (exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Abs)


class UnknownColumns(ValueError):
    """A condition names columns that an export lacks."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        super().__init__(", ".join(self.names))


def columns_of(text: str) -> set[str]:
    """Return the names of the columns that a condition reads."""
    return {column.name for column in _checked(text).find_all(exp.Column)}


def read_condition(text: str) -> str:
    """Return a condition as SQL over columns of texts. Raise ValueError if it is none."""
    tree = _checked(text)
    names = {column.name for column in tree.find_all(exp.Column)}
    condition = condition_over(text, {name: identifier(name) for name in names})
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
    return condition


def condition_over(text: str, values: Mapping[str, str]) -> str:
    """Return a condition as SQL, each column by the SQL of its value. Raise UnknownColumns.

    Values are texts, without blanks around them; what is compared with a number is read as one, and
    what stands alone as true or false. One that cannot be read so is NULL, and its row does not count.
    """
    tree = _checked(text)
    columns = list(tree.find_all(exp.Column))
    if missing := {column.name for column in columns} - values.keys():
        raise UnknownColumns(missing)
    marks = {}
    for place, column in enumerate(columns):
        mark = f"__value_{place}__"
        marks[identifier(mark)] = _typed(column, f"NULLIF(TRIM(({values[column.name]})::TEXT), '')")
        column.replace(exp.column(mark, quoted=True))
    for cast in list(tree.find_all(exp.Cast)):
        cast.replace(exp.TryCast(this=cast.this, to=cast.to))
    written = tree.sql(Weights)
    for mark, value in marks.items():
        written = written.replace(mark, value)
    return f"COALESCE({written}, FALSE)"


def _checked(text: str) -> exp.Expr:
    """Return a condition in which all is allowed; what is said of columns is said of the export's."""
    try:
        return checked(text, None)
    except ValueError as error:
        listed = ", ".join(COLUMNS)
        said = str(error).replace(f"allowed are the columns {listed}", "allowed are its columns")
        said = said.replace(f"the columns are {listed}", 'as in "Financial Status"')
        raise ValueError(
            said.replace("write the weight of a touchpoint", "write which rows count")
        ) from None


def _typed(column: exp.Column, text: str) -> str:
    """Return SQL for a text, read as what it is compared with."""
    within = column.parent
    while isinstance(within, exp.Paren) and within.parent:
        within = within.parent
    if within is None or isinstance(within, (exp.And, exp.Or, exp.Not, exp.Paren)):
        return f"TRY_CAST({text} AS BOOLEAN)"
    if isinstance(within, _RECKONED):
        return f"TRY_CAST({text} AS DOUBLE)"
    if isinstance(within, _COMPARED):
        others = [each for each in within.find_all(exp.Literal, exp.Boolean)]
        if others and all(isinstance(each, exp.Boolean) for each in others):
            return f"TRY_CAST({text} AS BOOLEAN)"
        if others and not any(getattr(each, "is_string", False) for each in others):
            return f"TRY_CAST({text} AS DOUBLE)"
    return text
