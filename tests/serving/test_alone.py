"""One client's name, weight or start stops nobody: it is published, or held by name beside the others."""

import pytest
import yaml

from demo import write_exports
from demo.write import CLIENTS
from tests.conftest import House

NAMES = ("select", "failing", "idle", "young")
FAILING = "CASE channel WHEN 'paid_search' THEN position - 2 WHEN 'organic_search' THEN LN(age_seconds - 1e9) ELSE 1 END"


@pytest.fixture
def street(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house of shops: one called by a word of SQL, one with a weight that fails, two without numbers."""
    shop = yaml.safe_load((house.home / "clients/shop.yaml").read_text())
    for name in ("acme", "borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    for name in NAMES:
        text = yaml.safe_dump(shop | {"name": name.title()})
        (house.home / f"clients/{name}.yaml").write_text(
            text.replace("exports/shop", f"exports/{name}")
        )
        monkeypatch.setitem(CLIENTS, name, CLIENTS["shop"])
    write_exports(house.home / "exports", 0, 60, NAMES)
    for name in ("idle", "young"):
        lines = (house.home / f"exports/{name}/events.csv").read_text().splitlines()
        kept = [line for line in lines[1:] if "purchase" not in line] if name == "idle" else []
        (house.home / f"exports/{name}/events.csv").write_text("\n".join([lines[0], *kept, ""]))
    house.change("young", sources={"web": {"events": {"delivery": "increment"}}})
    house.change("failing", attribution={"model": "own", "custom": {"own": FAILING}})
    return house


@pytest.mark.slow
def test_each_is_published_or_held_alone(street: House) -> None:
    outcomes = street.ingest()
    assert {key: each.problem for key, each in outcomes.items() if each.problem} == {}

    reports = street.serve()

    assert {name: report.result for name, report in reports.items()} == {
        **dict.fromkeys(("select", "young"), "published"),
        **dict.fromkeys(("failing", "idle"), "held"),
    }
    assert street.rows("SELECT client FROM select_publish.freshness_v1") == [("select",)]
    assert street.rows("SELECT COUNT(*) > 0 FROM select_publish.attribution_v1") == [(True,)]
    assert street.files("select") == street.published("select")
    assert sorted(each.name for each in (street.home / "published").glob("*.duckdb")) == [
        "select.duckdb",
        "young.duckdb",
    ]
    (faulty,) = reports["failing"].reasons
    assert "failing_marts.gate: audit weights_are_numbers failed" in faulty
    assert "own is negative on " in faulty and "own fails on " in faulty
    assert "such as of conversion " in faulty and "GREATEST(..., 0)" in faulty
    (fruitless,) = reports["idle"].reasons
    assert "audit rows_make_numbers failed" in fruitless and "web.events " in fruitless
    assert "start:" in fruitless and "may_be_empty: true" in fruitless

    street.change(
        "failing", attribution={"custom": {"own": "CASE WHEN is_direct THEN 0 ELSE 1 END"}}
    )
    street.change("idle", quality={"may_be_empty": True})
    mended = street.serve()
    assert {mended[name].result for name in ("failing", "idle")} == {"published"}
