"""A conversion that is lost between staging and credit holds its client, by its type."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.contracts.catalog import CONTRACTS
from tests.builders.checkout import PROJECT
from tests.builders.lake_writer import START, Load
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("lost")  # its models are rendered once

SETTINGS = """
name: One
currency: EUR
start: 2026-09-01
sources:
  web:
    sessions: {files: none}
    events: {files: none}
    conversions: {files: none}
  salesforce:
    opportunities: {files: none}
"""
DAY = timedelta(days=1)
WHEN = "2026-08-31 12:00:00"
ROWS = {
    ("salesforce", "opportunities"): {"opportunity_id": "deal-1", "is_won": "true"},
    ("web", "events"): {"client_id": "ann", "event_type": "purchase"},
    ("web", "conversions"): {"conversion_id": "site-1"},
}
OWN = {
    "opportunities": {"customer_id": "ann", "closed_at": WHEN, "amount": "100"},
    "events": {"event_time": WHEN, "revenue": "20"},
    "conversions": {"customer_id": "ann", "converted_at": WHEN, "revenue": "3"},
}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """Return the models of a client with a deal, a purchase and a conversion of its site."""
    home: Path = tmp_path_factory.mktemp("lost")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(SETTINGS)
    House(home).enter()
    yield render("one")["one"]


def held_by(one: Models, lost: str) -> list[tuple]:
    """Return what the gate's audit finds after a day on which one conversion's rows were lost."""
    warehouse = one.empty()
    for number, ((source, table), row) in enumerate(ROWS.items()):
        columns = dict.fromkeys(CONTRACTS[source][table].columns) | row | OWN[table]
        load = Load(
            START + timedelta(hours=number), source, {table: [columns | {"is_deleted": False}]}
        )
        one.load(warehouse, load)
    versions = "journeys.conversion_versions"
    whole = one.queries[versions]
    one.queries[versions] = f"SELECT * FROM ({whole}) AS found WHERE conversion_type <> '{lost}'"
    try:
        one.run(warehouse, START, START + DAY)
    finally:
        one.queries[versions] = whole
    audit = (PROJECT / "audits/revenue_conserved.sql").read_text().partition(");")[2]
    found = warehouse.execute(audit.replace("@this_model", "one_marts.gate"))
    names = [name for name, *_ in found.description]
    kept = ("conversions", "credited_conversions", "mismatched_types")
    return [tuple(dict(zip(names, row))[name] for name in kept) for row in found.fetchall()]


def test_nothing_lost_holds_nobody(one: Models) -> None:
    assert held_by(one, "nothing") == []


@pytest.mark.parametrize("lost", ["deal", "purchase", "site"])
def test_a_lost_conversion_holds_the_client_by_its_type(one: Models, lost: str) -> None:
    assert held_by(one, lost) == [(3, 2, lost)]
