"""A client's blueprint: every variable is explained, read by a model, and defined."""

import re

import duckdb
import pytest
from sqlglot import parse_one
from sqlglot.dialects.duckdb import DuckDB

from pipelines.blueprints.blueprint import blueprint, groups
from pipelines.blueprints.explained import explain
from pipelines.settings.client import Client
from tests.builders.checkout import PROJECT
from tests.conftest import House

OF_SQLMESH = {"start_ts", "end_ts", "start_date", "end_date", "this_model"}


@pytest.fixture
def explained(house: House) -> dict[str, str]:
    """Return acme's explanation: each paragraph by the variable that it is about."""
    return {text.split()[0]: text for text in explain(house.client("acme"))}


def test_every_variable_is_described_and_read(house: House, explained: dict[str, str]) -> None:
    for group in groups(house.client("acme")):
        for name in group.variables():
            assert group.descriptions()[name].endswith("."), name
            assert re.search(r"Read by @?\w", explained[name]), f"nobody reads {name}"


def test_every_variable_that_a_model_reads_is_defined(house: House) -> None:
    defined = {name for group in groups(house.client("acme")) for name in group.variables()}
    for file in sorted((PROJECT / "models").rglob("*.sql")):
        read = set(re.findall(r"@(\w+)\b(?!\s*\()", file.read_text()))
        assert read - OF_SQLMESH <= {*defined, "client"}, file.name


def test_no_variable_stands_twice(house: House) -> None:
    names = re.findall(r"(\w+) := ", re.sub("'[^']*'", "", blueprint(house.client("acme"))))

    assert len(names) == len(set(names))


def test_a_client_may_be_called_by_any_word_of_sql(house: House) -> None:
    acme = house.client("acme")
    known = duckdb.sql("SELECT keyword_name FROM duckdb_keywords()").fetchall()
    words = {word.lower() for word in [*(name for (name,) in known), *DuckDB.Tokenizer.KEYWORDS]}
    names = sorted(word for word in words if re.fullmatch("[a-z][a-z0-9]*", word))
    assert {"select", "map", "null", "true", "only"} <= set(names)

    assert {name: read_name(acme.model_copy(update={"id": name})) for name in names} == dict(
        zip(names, names)
    )


def read_name(client: Client) -> str:
    """Return the client's name as SQLMesh takes it from its blueprint."""
    variables = parse_one(blueprint(client), read="duckdb").expressions
    (name,) = [each.right.name for each in variables if each.left.name == "client"]
    return name


def test_a_short_value_stands_beside_its_name(explained: dict[str, str]) -> None:
    assert explained["currency"].startswith("currency = 'EUR'\n  The currency ")
    assert "Read by credit.\n    CASE\n      WHEN path_length = 1\n" in explained["weight"]


def test_the_command_prints_it(house: House) -> None:
    done = house.pipelines("blueprint", "acme")

    assert done.returncode == 0, done.stdout
    assert "# What models of every layer read.\n" in done.stdout
    assert "minor_units = 100\n" in done.stdout
