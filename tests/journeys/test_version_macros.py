"""The macros over versions, by examples small enough to check by eye."""

from collections.abc import Callable

import duckdb
import pytest
from sqlglot import parse_one
from sqlglot.expressions import Expr

from macros.history import history
from macros.listed import listed
from macros.newest import newest
from macros.union_all import union_all

DEALS = "(VALUES (7, 'open', 1), (7, 'won', 4), (8, 'open', 2)) AS deals(deal_id, stage, day)"
RATES = """(VALUES
  ('USD', 90, FALSE, 1),
  ('USD', 91, FALSE, 2), -- the source wrote one day in three ways
  ('USD', 93, FALSE, 2),
  ('USD', 99, TRUE, 2)
) AS rates(currency, rate, is_deleted, day)"""


def called(macro: Callable, *arguments: str) -> str:
    """Return what a macro makes of its arguments, as SQLMesh hands them over."""
    expressions = [parse_one(argument, dialect="duckdb") for argument in arguments]
    made = macro(None, *expressions)
    return made.sql("duckdb") if isinstance(made, Expr) else made


@pytest.fixture
def rows() -> Callable[[str], list[tuple]]:
    """Return a function that runs a query on versions, whose `loaded_at` is a day of March."""
    loaded = "TIMESTAMP '2026-03-01' + (day - 1) * INTERVAL '1' DAY AS loaded_at"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE deals AS SELECT *, {loaded} FROM {DEALS}")
        connection.execute(f"CREATE TABLE rates AS SELECT *, {loaded} FROM {RATES}")
        yield lambda query: connection.execute(query).fetchall()


def test_history_gives_each_version_its_span(rows) -> None:
    spans = called(history, "deals", "deal_id")
    columns = "deal_id, stage, valid_from::DATE::TEXT, valid_until::DATE::TEXT"
    assert rows(f"SELECT {columns} FROM {spans} ORDER BY ALL") == [
        (7, "open", "2026-03-01", "2026-03-04"),
        (7, "won", "2026-03-04", "9999-12-31"),
        (8, "open", "2026-03-02", "9999-12-31"),
    ]


def test_newest_is_the_version_loaded_last(rows) -> None:
    found = rows(f"SELECT deal_id, stage FROM {called(newest, 'deals', 'deal_id')} ORDER BY ALL")
    assert found == [(7, "won"), (8, "open")]


def test_of_versions_loaded_together_one_that_is_not_deleted_and_the_largest_counts(rows) -> None:
    found = rows(f"SELECT currency, rate FROM {called(newest, 'rates', '(currency, day)', 'rate')}")
    assert sorted(found) == [("USD", 90), ("USD", 93)]
    assert rows(f"SELECT rate FROM {called(newest, 'rates', 'currency', 'rate')}") == [(93,)]


def test_a_union_names_what_a_query_lacks_with_its_type(rows) -> None:
    queries = ("(SELECT 1 AS a, 'x' AS b)", "(SELECT 2 AS c, 3 AS a)")
    union = called(union_all, "(b := TEXT, c := INT)", *queries)
    assert "BY NAME" not in union and "CAST(NULL AS TEXT) AS b" in union
    assert rows(union) == [(1, "x", None), (3, None, 2)]


def test_a_union_without_a_type_for_a_missing_column_is_refused() -> None:
    with pytest.raises(ValueError, match="not every query has c; name its type"):
        called(union_all, "(b := TEXT)", "(SELECT 1 AS a)", "(SELECT 2 AS a, 3 AS c)")


def test_texts_are_listed_once_each_in_order(rows) -> None:
    stages = called(listed, "stage", "'; '")
    assert rows(f"SELECT {stages} FROM deals") == [("open; won",)]
    assert rows(f"SELECT {stages} FROM deals WHERE FALSE") == [(None,)]
    of_one = called(listed, "stage", "', '", "deal_id = 8")
    assert rows(f"SELECT {of_one} FROM deals") == [("open",)]
