"""The same data gives the same published tables, however it is written."""

from datetime import date

import duckdb
import pytest
import yaml

from pipelines.ingest.run import ingest_client
from pipelines.settings.reader import read
from tests.builders import staged_cases, writings
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("writings")  # its models are rendered once
TABLES = ("attribution_v1", "campaigns_v1", "model_comparison")
CLIENT = {
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "start": date(2026, 8, 1),
    "attribution": {"model": "position_based", "compare": ["linear"]},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return the home of all writings."""
    home = tmp_path_factory.mktemp("writings")
    (home / "clients").mkdir()
    return House(home).enter()


@pytest.fixture(scope="module")
def models(house: House) -> Models:
    """Return the models of a client like them all."""
    sources = {
        "web": {"sessions": {"files": "none"}, "conversions": {"files": "none"}},
        "google_ads": {"spend": {"files": "none"}},
    }
    file = house.home / "clients/alike.yaml"
    file.write_text(yaml.safe_dump(CLIENT | {"name": "alike", "sources": sources}))
    rendered = render("alike", published=True)["alike"]
    file.unlink()
    return rendered


@pytest.fixture(scope="module")
def expected(house: House, models: Models) -> dict[int, dict[str, list[tuple]]]:
    """Return what a plain file of each seed publishes."""
    return {seed: publish(house, models, "plain", seed) for seed in (1, 2)}


def publish(house: House, models: Models, way: str, seed: int) -> dict[str, list[tuple]]:
    """Return the published tables of data that is written in a way."""
    house.enter()
    client = "".join(letter for letter in f"w{way}{seed}".lower() if letter.isalnum())
    folder = house.home / "exports" / client
    folder.mkdir(parents=True)
    exports = writings.write(folder, way, writings.invented(seed))
    for export in exports.values():
        export |= {"files": f"exports/{client}/{export['files']}", "expected_every": "never"}
    sources = {
        "web": {name: exports[name] for name in ("sessions", "conversions")},
        "google_ads": {"spend": exports["spend"]},
    }
    file = house.home / f"clients/{client}.yaml"
    file.write_text(yaml.safe_dump(CLIENT | {"name": client, "sources": sources}))
    clients, problems = read()
    assert not [problem for problem in problems if problem.client == client]
    outcomes = ingest_client(next(each for each in clients if each.id == client))
    assert [outcome.problem for outcome in outcomes] == ["", ""]
    assert sum(outcome.counts.quarantined for outcome in outcomes) == 0
    file.unlink()
    with staged_cases.published(models, client) as tables:
        return {name: rows(tables, name) for name in TABLES}


def rows(tables: duckdb.DuckDBPyConnection, name: str) -> list[tuple]:
    """Return a published table, in order."""
    return tables.execute(f"FROM alike_publish.{name} ORDER BY ALL").fetchall()


@pytest.mark.parametrize("way", [way for way in writings.WAYS if way != "plain"])
def test_what_is_published_does_not_depend_on_how_it_was_written(
    house: House, models: Models, expected: dict, way: str
) -> None:
    seed = 1 + writings.WAYS.index(way) % 2
    assert publish(house, models, way, seed) == expected[seed]


def test_there_is_something_to_compare(expected: dict) -> None:
    assert all(len(each["attribution_v1"]) > 20 for each in expected.values())
    assert all(len(each["campaigns_v1"]) >= 80 for each in expected.values())
    assert expected[1] != expected[2]
