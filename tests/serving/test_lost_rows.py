"""Rows that are lost on their way into staging hold their client, by source and table."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
import pytest
import yaml
from sqlmesh.core.macros import RuntimeStage

from pipelines.contracts.catalog import CONTRACTS, sources_of, tables
from pipelines.contracts.contract import Contract
from pipelines.serving.warehouse import Warehouse
from tests.builders.lake_writer import START, Load, write
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("lost_rows")  # its models are loaded once

TABLES = [(source, table) for source, table, _ in tables()]
NOON = START + timedelta(hours=12)  # every table's load is committed before
VALUES = {"timestamp": "2026-08-31 10:00:00", "date": "2026-08-31", "boolean": "true"}


def rows(contract: Contract) -> list[dict]:
    """Return three rows as a source delivers them, alike but for their texts."""
    return [
        {
            name: VALUES.get(column.type, f"{number}" if column.type != "text" else f"id{number}")
            for name, column in contract.columns.items()
        }
        | {"is_deleted": False}
        for number in (1, 2, 3)
    ]


def settings(name: str, **attribution: object) -> str:
    """Return the file of a client that delivers every table there is."""
    sources = {
        source: {table: {"files": "none"} for table in contracts}
        for source, contracts in CONTRACTS.items()
    }
    head = {"name": name, "currency": "EUR", "start": START.date(), "sources": sources}
    return yaml.safe_dump(head | {"attribution": attribution})


class Staging:
    """The staging tables of a client, by the models' own SQL, and the audit of their rows."""

    def __init__(self, client: str) -> None:
        self.client = client
        warehouse = Warehouse("home")
        schema = f"{client}_staging."
        models = {
            name.removeprefix(schema): model
            for name, model in warehouse.models.items()
            if name.startswith(schema)
        }
        self.load_counts = models.pop("stg_load_counts")
        ((self.audit, _),) = self.load_counts.audits_with_args
        self.queries = {name: self._query(model, NOON) for name, model in models.items()}
        warehouse.close()
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(
            f"ATTACH ':memory:' AS home; USE home; CREATE SCHEMA {client}_staging"
        )
        for name, query in self.queries.items():
            self.connection.execute(f"CREATE TABLE {client}_staging.{name} AS {query}")

    def _query(self, model, until: datetime) -> str:
        return model.render_query_or_raise(
            start=START,
            end=until,
            execution_time=until,
            runtime_stage=RuntimeStage.EVALUATING,
        ).sql("duckdb")

    def unaccounted(self, began: datetime = NOON) -> list[tuple]:
        """Return what the audit finds of a run that begins at some time, without its remedies."""
        return [tuple(found) for *found, _ in self.audited(began)]

    def audited(self, began: datetime = NOON) -> list[tuple]:
        """Return the rows of the audit of a run that begins at some time."""
        counts = f"{self.client}_staging.stg_load_counts"
        query = self._query(self.load_counts, began)
        self.connection.execute(f"CREATE OR REPLACE TABLE {counts} AS {query}")
        found = self.load_counts.render_audit_query(self.audit).sql("duckdb")
        return self.connection.execute(found).fetchall()

    def change(self, statement: str, source: str, table: str) -> None:
        """Change the rows of one source's table in the staging model that takes them."""
        model = CONTRACTS[source][table].staged_by
        rows = f"platform = '{source}'" if len(sources_of(model)) > 1 else "TRUE"
        name = f"{self.client}_staging.{model}"
        self.connection.execute(statement.format(table=name, rows=rows))


LOSE_ALL = "DELETE FROM {table} WHERE {rows}"
LOSE_ONE = LOSE_ALL + " AND rowid = (SELECT MIN(rowid) FROM {table} WHERE {rows})"
DOUBLE = "INSERT INTO {table} SELECT * FROM {table} WHERE {rows} LIMIT 1"


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("lost") / "house")
    (house.home / "clients").mkdir(parents=True)
    by_account = {"journeys": "account", "contacts": {"roles": "any", "campaign_members": True}}
    for client, attribution in {"one": by_account, "two": {}, "three": {}}.items():
        (house.home / f"clients/{client}.yaml").write_text(settings(client, **attribution))
        for source, table, contract in tables():
            at = START + timedelta(hours=1, minutes=TABLES.index((source, table)))
            write(house.home, client, Load(at, source, {table: rows(contract)}))
    return house


@pytest.fixture(scope="module")
def _staging(_home: House) -> Staging:
    _home.enter()
    return Staging("one")


@pytest.fixture
def staging(_home: House, _staging: Staging) -> Iterator[Staging]:
    """The staging tables of a client that has every table; what a test changes is undone."""
    _home.enter()
    _staging.connection.execute("BEGIN")
    yield _staging
    _staging.connection.execute("ROLLBACK")


def test_every_table_is_counted(staging: Staging) -> None:
    assert staging.unaccounted() == []

    counted = staging.connection.execute(
        "SELECT source, table_name, rows_loaded, rows_staged FROM one_staging.stg_load_counts"
    ).fetchall()
    assert sorted(counted) == sorted((source, table, 3, 3) for source, table in TABLES)


@pytest.mark.parametrize(("source", "table"), TABLES)
@pytest.mark.parametrize(
    ("change", "staged"), [(LOSE_ONE, 2), (LOSE_ALL, 0), (DOUBLE, 4)], ids=["one", "all", "double"]
)
def test_a_lost_or_doubled_row_is_named(
    staging: Staging, source: str, table: str, change: str, staged: int
) -> None:
    staging.change(change, source, table)

    assert staging.unaccounted() == [("one", source, table, 3, staged)]


def test_a_lost_and_a_doubled_row_do_not_cancel(staging: Staging) -> None:
    staging.change(LOSE_ONE, "google_ads", "spend")
    staging.change(DOUBLE, "facebook_ads", "spend")

    assert sorted(staging.unaccounted()) == [
        ("one", "facebook_ads", "spend", 3, 4),
        ("one", "google_ads", "spend", 3, 2),
    ]


LOST = [("one", "new_ads", "spend", 3, 0)]
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("committed", "began", "found"),
    [
        (NOON - SECOND, NOON, LOST),  # the newest load of a plan
        (NOON + SECOND, NOON, LOST),  # a plan begins with the running minute, it sees this load
        (NOON, NOON + SECOND, LOST),  # the newest load of a run
        (NOON + 2 * SECOND, NOON + SECOND, []),  # while the run goes on: the next one counts it
    ],
)
def test_a_table_that_no_model_takes_is_named(
    _home: House,
    staging: Staging,
    monkeypatch: pytest.MonkeyPatch,
    committed: datetime,
    began: datetime,
    found: list[tuple],
) -> None:
    contract = CONTRACTS["google_ads"]["spend"]
    monkeypatch.setitem(CONTRACTS, "new_ads", {"spend": contract})
    write(_home.home, "one", Load(committed, "new_ads", {"spend": rows(contract)}))

    unaccounted = staging.unaccounted(began)

    shutil.rmtree(_home.home / "lake/one/new_ads")
    assert unaccounted == found


def test_tables_that_the_settings_do_not_ask_for_may_stay_unstaged(_home: House) -> None:
    _home.enter()
    staging = Staging("two")

    assert "stg_contacts" not in staging.queries
    assert staging.unaccounted() == []


def test_loads_before_the_start_are_named_with_the_day_to_write(_home: House) -> None:
    _home.enter()
    _home.change("three", start=START.date() + timedelta(days=9))
    staging = Staging("three")
    staging.change(LOSE_ALL, "web", "sessions")

    (*lost, remedy), *others = staging.audited()

    assert (lost, others) == (["three", "web", "sessions", 3, 0], [])
    assert f"write start: {START.date()} in the client's file" in remedy
