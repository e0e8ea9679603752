"""Make columns of an export's own, where what stands under `columns:` is SQL and no name of a column."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import duckdb

from pipelines.contracts.contract import Column, Contract
from pipelines.settings.column_expressions import (
    Made,
    Target,
    is_expression,
    made_of,
    names_in,
    read_expression,
    target_of,
)
from pipelines.settings.conditions import Reader, Value, delivered, read_condition
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Rows
from pipelines.sources.dressed_numbers import bare
from pipelines.sources.nothing import something
from pipelines.sources.numbers import as_double, as_exact
from pipelines.sources.times import as_time
from pipelines.sql import literal

_PLACES = 9  # of decimals, as the finest of our types has


def expressions(export: Export, contract: Contract) -> Iterator[tuple[str, str, Target]]:
    """Return each of our columns that may be made by SQL, the SQL, and what it is to come to."""
    for column, names in export.columns.items():
        for name in names:
            if column in contract.columns and is_expression(name):
                yield column, name, target_of(contract.columns[column])


def with_made(
    connection: duckdb.DuckDBPyConnection, rows: Rows, export: Export, contract: Contract
) -> Rows:
    """Return the rows with columns that are made by SQL, each called as it is written.

    A column of the export that is called so comes first.
    """
    made_of_sql = list(expressions(export, contract))
    if not made_of_sql:
        return rows
    columns, values, numbers, texts = (
        dict(rows.columns),
        list[Value](),
        list[str](),
        dict[str, str](),
    )
    found, bares = _typed(connection, rows, made_of_sql), dict[str, str]()
    for column, text, target in made_of_sql:
        if text in rows.columns or names_in(text) - rows.columns.keys():
            continue
        own = {}
        for name in sorted(names_in(text)):
            own[name] = f"sql_text_{len(texts)}"
            texts[own[name]] = something(f"({rows.columns[name]})::TEXT", column, contract)
        for value in read_expression(text, target).values:
            if value.kind == "number" and value.name in own:
                bares[delivered(own[value.name])] = f"sql_bare_{len(bares)}"
        typed = {
            bares.get(text, text)
            for text in map(delivered, [own[name] for name in found & own.keys()])
        }
        number = _of_bare(bares, partial(as_exact, numbers=export.numbers, typed=typed))
        time = partial(as_time, date_format=export.date_format)
        made = made_of(text, target, own, number, time)
        columns[text] = _written(made, contract.columns[column])
        numbers += [text] * made.is_number
        values += _values(column, text, made)
    kept = ", ".join(f"{text} AS {name}" for name, text in texts.items())
    if kept:  # each once, however often it is read
        rows = with_bare(rows._replace(relation=f"(SELECT *, {kept} FROM {rows.relation})"), bares)
    if numbers:
        listed = ", ".join(map(literal, numbers))
        rows = rows._replace(typed=f"{rows.typed} UNION ALL SELECT UNNEST([{listed}])")
    by_sql = frozenset(column for column, text, _ in made_of_sql if text not in rows.columns)
    return rows._replace(columns=columns, made=values, by_sql=by_sql)


def with_bare(rows: Rows, texts: Mapping[str, str]) -> Rows:
    """Return the rows with numbers without what is written around them: by the SQL of a text, a new column."""
    if not texts:
        return rows
    kept = ", ".join(f"{bare(text)} AS {name}" for text, name in texts.items())
    return rows._replace(relation=f"(SELECT *, {kept} FROM {rows.relation})")


def _of_bare(bares: Mapping[str, str], number: Reader) -> Reader:
    return lambda text: number(bares.get(text, text))


def compared_bare(rows: Rows, conditions: Iterable[str | None]) -> dict[str, str]:
    """Return a new column for each number that conditions compare, by the SQL of its text."""
    names = {
        value.name
        for condition in filter(None, conditions)
        for value in read_condition(condition)
        if value.kind == "number"
    }
    texts = [delivered(rows.columns[name]) for name in sorted(names & rows.columns.keys())]
    return {text: f"compared_bare_{place}" for place, text in enumerate(texts)}


def of_compared(bares: Mapping[str, str], numbers: Numbers) -> Reader:
    """Return what reads a number that is compared."""
    return _of_bare(bares, partial(as_double, numbers=numbers))


def _typed(
    connection: duckdb.DuckDBPyConnection, rows: Rows, made: list[tuple[str, str, Target]]
) -> set[str]:
    """Return the export's columns that hold numbers by their type, where numbers are made of some."""
    if not any(target == "number" for _, _, target in made):
        return set()
    return {name for (name,) in connection.execute(rows.typed).fetchall()}


def _values(column: str, text: str, made: Made) -> list[Value]:
    """Return what has to be readable for a column; a number that comes to nothing is told by its SQL."""
    unreadable = " OR ".join(
        ["FALSE", *(f"COALESCE({each.unreadable}, FALSE)" for each in made.values)]
    )
    lost = Value(text, "nothing", "NULL::TEXT", f"{made.lost} AND NOT ({unreadable})", column)
    return [each._replace(of=column) for each in made.values] + [lost] * made.is_number


def _written(made: Made, column: Column) -> str:
    """Return SQL for what was made as an export would deliver it: a number as SQL writes it, to the cent."""
    if made.is_number:
        exact = f"TRY_CAST(({made.value}) AS DECIMAL(28, {_PLACES}))::TEXT"
        return f"COALESCE(REGEXP_REPLACE({exact}, '[.]?0*$', ''), ({made.value})::TEXT)"
    if made.is_flag and column.required:  # of nothing, no comparison is true
        return f"COALESCE(({made.value})::TEXT, 'false')"
    return f"({made.value})::TEXT"
