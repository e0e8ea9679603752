"""A morning is left out only where it would change nothing."""

from datetime import datetime, timedelta, timezone

import duckdb
import pytest
import time_machine

from pipelines import torn_blocks
from pipelines.ingest.source_status import Status
from pipelines.ingest.source_status import write as write_status
from pipelines.ledger.runs import runs
from pipelines.serving import memory, shard_run
from pipelines.serving.report import Figures, Report
from pipelines.settings.reader import keep_promoted
from tests.builders.lake_writer import START, Load, write
from tests.conftest import House


def state(house: House, hours: int) -> str:
    """Return the state of shop's run that begins some hours after the start."""
    with time_machine.travel(START.replace(tzinfo=timezone.utc) + timedelta(hours=hours)):
        return memory.state(house.client("shop"))


def test_a_load_that_a_clock_set_back_puts_ahead_is_run_when_it_is_seen(house: House) -> None:
    client = {"client_id": "c", "is_deleted": False}
    before = state(house, 1)

    write(house.home, "shop", Load(START + timedelta(hours=5), "web", {"clients": [client]}))

    assert state(house, 2) == before  # a run does not see it yet
    assert state(house, 6) != before
    assert state(house, 7) == state(house, 6)


def test_a_source_that_the_clock_makes_stale_is_no_morning_with_nothing_new(house: House) -> None:
    write_status(Status("shop", "web", stale_from={"events": "2026-10-06"}))
    at = datetime(2026, 10, 5, 12, tzinfo=timezone.utc)
    states = []
    for moment in (at, at + timedelta(hours=6), at + timedelta(days=1), at + timedelta(days=2)):
        with time_machine.travel(moment):
            states.append(memory.state(house.client("shop")))
    assert states[0] == states[1] != states[2] == states[3]


def test_who_is_held_is_told_until_a_morning_publishes(house: House) -> None:
    client = house.client("shop")
    (house.home / "warehouse").mkdir()
    (house.home / "warehouse/home.duckdb").touch()
    figures = Figures("2026-10-05 06:00", "1", "EUR", "5.00", "0.00", "0.00")
    for result, reasons, said in (
        ("published", [], []),
        ("held", ["its audit failed"], ["its audit failed"]),
        ("published", [], []),
    ):
        report = Report("shop", result, reasons, figures)
        memory.remember("home", "", {"shop": "as it is"}, report)
        assert memory.held_for(client) == said


def test_who_is_held_before_anything_is_published_is_told_too(house: House) -> None:
    client, why = house.client("shop"), ["its audit failed"]
    (house.home / "warehouse").mkdir()
    memory.remember("home", "", {"shop": "as it is"}, Report("shop", "held", why))

    assert memory.held_for(client) == why  # without a warehouse file, too
    assert memory.remembered() == {"home": set()}
    (house.home / "warehouse/home.duckdb").touch()
    assert memory.held_for(client) == why
    assert memory.recall(client, "as it is") is None
    assert memory.recall(client, "") is None

    figures = Figures("2026-10-05 06:00", "1", "EUR", "5.00", "0.00", "0.00")
    memory.remember("home", "", {"shop": "now"}, Report("shop", "published", [], figures))
    assert memory.held_for(client) == []
    assert memory.remembered() == {"home": {"shop"}}


def test_nobody_is_recalled_while_the_warehouse_file_is_doubted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = house.client("shop")
    (house.home / "warehouse").mkdir()
    (house.home / "warehouse/home.duckdb").touch()
    monkeypatch.setattr(memory, "why_behind", lambda name: "")  # as if its files were there
    figures = Figures("2026-10-05 06:00", "1", "EUR", "5.00", "0.00", "0.00")
    memory.remember("home", "", {"shop": "now"}, Report("shop", "published", [], figures))
    assert memory.recall(client, "now")
    torn_blocks.doubt("home")
    assert memory.recall(client, "now") is None  # the file may be built again


@pytest.mark.parametrize("content", ["", "[]", "null", "7", '{"shop": null}', '{"shop": []}'])
def test_a_torn_memory_remembers_nobody(house: House, content: str) -> None:
    (house.home / "warehouse").mkdir()
    (house.home / "warehouse/home.duckdb").touch()
    (house.home / "warehouse/home.morning.json").write_text(content)
    client = house.client("shop")
    assert memory.held_for(client) == [] and memory.recall(client, "") is None
    assert memory.remembered() == {"home": set()}


def test_a_killed_run_of_another_client_changes_nothing_but_an_older_file_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, file = house.client("shop"), house.home / "warehouse/home.duckdb"
    file.parent.mkdir()
    monkeypatch.setattr(memory, "why_behind", lambda name: "")  # as if its files were there
    write = "CREATE OR REPLACE TABLE other AS SELECT * FROM RANGE(10000)"
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute(write)
    older = file.read_bytes()
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute(write)
    figures = Figures("2026-10-05 06:00", "1", "EUR", "5.00", "0.00", "0.00")
    memory.remember("home", "", {"shop": "now"}, Report("shop", "published", [], figures))

    for killed in ("as it ran", "before it was put back"):
        memory.begin("home")
        with duckdb.connect(str(file)) as warehouse:
            warehouse.execute(write)
        if killed == "before it was put back":
            file.write_bytes(older)  # in place: the file is the same one
        assert memory.recall(client, "now") is None
        memory.take_up("home")
        assert bool(memory.recall(client, "now")) is (killed == "as it ran")


class WithAnEdit:
    """A warehouse whose client was edited since it was promoted."""

    def local(self, client: str) -> frozenset:
        return frozenset({f"{client} edited"})

    def promoted(self, environment: str) -> dict:
        return {"shop": frozenset({"promoted"})}

    def run(self, environment: str, clients: list[str]) -> dict:
        return {}


def test_the_ledger_has_what_the_promoted_model_learnt_while_an_edit_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        shard_run, "learnt_versions", lambda client: {client.attribution.model: "v1"}
    )
    keep_promoted(house.client("shop"))
    house.edit("shop", "model: last_touch", "model: markov")

    assert shard_run._compute(WithAnEdit(), house.client("shop"), False) == []

    (run,) = runs("shop", ["compute"])
    assert run.learnt_versions == {"last_touch": "v1"}
