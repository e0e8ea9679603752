"""What SQLMesh and sqlglot reckon once is what they would reckon each time."""

from collections.abc import Iterator

import duckdb
import pytest
from sqlglot import exp, parse_one
from sqlmesh.core.engine_adapter import DuckDBEngineAdapter
from sqlmesh.core.macros import MacroEvaluator

from pipelines.blueprints.reckoned_once import reckon_once


@pytest.fixture(autouse=True)
def once() -> None:
    reckon_once()
    reckon_once()  # as where the project is loaded again


@pytest.fixture
def adapter() -> Iterator[DuckDBEngineAdapter]:
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE shown (id TEXT, "a.b" TEXT, note TEXT)')
        yield DuckDBEngineAdapter(lambda: connection)


def comments(adapter: DuckDBEngineAdapter) -> dict[str, str | None]:
    return dict(
        adapter.fetchall("SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal")
    )


def test_comments_are_written_as_they_are(adapter: DuckDBEngineAdapter) -> None:
    said = {"id": "The order's key; unique", "a.b": 'A "quoted" name'}
    adapter._create_column_comments("shown", said)
    assert comments(adapter) == {**said, "note": None}


def test_a_comment_that_cannot_be_written_stops_no_other(adapter: DuckDBEngineAdapter) -> None:
    adapter._create_column_comments("shown", {"id": "Key", "gone": "Was dropped", "note": "Free"})
    assert comments(adapter) == {"id": "Key", "a.b": None, "note": "Free"}
    adapter.execute("CREATE TABLE other (id TEXT)")  # no transaction stays open


def test_a_tree_that_is_changed_is_nobody_elses() -> None:
    evaluator = MacroEvaluator("duckdb")
    first = evaluator.parse_one("SELECT total FROM orders")
    first.find(exp.Column).set("this", exp.to_identifier("spend"))
    assert evaluator.parse_one("SELECT total FROM orders").sql() == "SELECT total FROM orders"


def test_positions_of_a_copy_are_its_own() -> None:
    query = parse_one("SELECT total FROM orders")
    column = query.find(exp.Identifier)
    column.meta["seen"] = ["once"]
    copied = query.copy().find(exp.Identifier)
    assert copied.meta == column.meta
    copied.meta["seen"].append("twice")
    copied.meta["line"] = 9
    assert column.meta["seen"] == ["once"] and column.meta["line"] == 1


def test_a_name_is_normalised_by_its_dialect() -> None:
    assert exp.normalize_table_name('"A-b".C', dialect="duckdb") == "a-b.c"
    assert exp.normalize_table_name("a.C", dialect="snowflake") == "A.C"
    table = exp.to_table("a.b")
    assert exp.normalize_table_name(table) == "a.b"
    table.set("this", exp.to_identifier("c"))
    assert exp.normalize_table_name(table) == "a.c"
