"""An id that owns more than its share is named, and holds its client where the settings say so."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import lake_writer
from tests.builders.checkout import PROJECT
from tests.builders.histories import DAY, deal, session
from tests.builders.lake_writer import START, Load
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("dominant")  # its models are rendered once

QUALITY = {
    "warned": "quality: {dominant_id_share: 0.5, dominant_id_rows: 3}",
    "held": "quality: {dominant_id_share: 0.5, dominant_id_rows: 3, dominant_id: holds}",
    "calm": "",
}
WHEN = "2026-08-31 12:00:00"
TESTED = "visitor test: 3 of 5 touchpoints (60 %)"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the models of clients that differ in their limits."""
    home: Path = tmp_path_factory.mktemp("dominant")
    (home / "clients").mkdir()
    for name, quality in QUALITY.items():
        (home / f"clients/{name}.yaml").write_text(f"{lake_writer.settings(name)}\n{quality}\n")
    House(home).enter()
    return render(*QUALITY)


def judged(models: Models, visitors: list[str | None], customers: list[str]) -> tuple:
    """Return the ids that own too much, and whether the audit holds the client for them."""
    warehouse = models.empty()
    sessions = [session(place, WHEN, visitor_id=each) for place, each in enumerate(visitors)]
    deals = [deal(place, each, WHEN) for place, each in enumerate(customers)]
    models.load(warehouse, Load(START, "web", {"sessions": sessions}))
    at = START + timedelta(hours=1)
    models.load(warehouse, Load(at, "salesforce", {"opportunities": deals}))
    models.run(warehouse, START, START + DAY)
    gate = f"{models.client}_marts.gate"
    audit = (PROJECT / "audits/no_id_dominates.sql").read_text().partition(");")[2]
    found = warehouse.execute(audit.replace("@this_model", gate)).fetchall()
    ((named,),) = warehouse.execute(f"SELECT dominant_ids FROM {gate}").fetchall()
    return named, bool(found)


def test_a_visitor_called_test_is_named_with_its_share(models: dict[str, Models]) -> None:
    sessions = ["test", "test", "test", "a", None]
    assert judged(models["warned"], sessions, ["ann", "bob"]) == (TESTED, False)
    assert judged(models["held"], sessions, ["ann", "bob"]) == (TESTED, True)


def test_a_customer_may_own_too_many_conversions(models: dict[str, Models]) -> None:
    named, is_held = judged(models["held"], ["a", "b"], ["guest@shop", "guest@shop", "guest@shop"])
    assert (named, is_held) == ("customer guest@shop: 3 of 3 conversions (100 %)", True)


def test_half_of_all_two_of_all_or_nobody_is_not_too_much(models: dict[str, Models]) -> None:
    assert judged(models["held"], ["a", "a", "a", "b", "c", "d"], ["ann", "ann"]) == (None, False)
    assert judged(models["held"], [None] * 9, ["ann", "bob"]) == (None, False)


def test_a_small_client_is_never_told_by_default(models: dict[str, Models]) -> None:
    assert judged(models["calm"], ["a"] * 99, ["ann"] * 99) == (None, False)
