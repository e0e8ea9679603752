"""`make status` says in a row how a client stands: held, late, interrupted, or well."""

import json
from datetime import datetime, timezone

import pytest
import time_machine
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ledger.recording import begin, recorded
from pipelines.serving import memory
from pipelines.serving.report import held
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("states")


def at(day: int, hour: int) -> time_machine.travel:
    """Let it be a day of October 2026, at an hour of UTC."""
    return time_machine.travel(datetime(2026, 10, day, hour, tzinfo=timezone.utc), tick=False)


def status(*options: str) -> tuple[int, str]:
    """Return the exit status of `make status` for the shop, whose deadline is 08:00 UTC, and its output."""
    done = CliRunner().invoke(app, ["status", "--client", "shop", *options])
    return done.exit_code, done.stdout


def served_as(outcome: str) -> None:
    with recorded("shop", "daily") as run:
        run.outcome = outcome


def test_a_client_is_late_once_its_deadline_passed_without_a_run(house: House) -> None:
    with at(2, 9):
        code, shown = status()
        assert code == 0 and "not published" in shown  # nobody has begun to serve it
    with at(3, 6):
        served_as("published")
    with at(3, 9):
        assert status()[0] == 0
    with at(4, 7):
        assert status()[0] == 0
    with at(4, 9):
        code, shown = status()
        assert code == 1 and "│ shop   │ late" in shown
        assert "shop: late: the numbers due at 08:00 UTC on 2026-10-04 are not published" in shown
        served_as("nothing new")
        assert status()[0] == 0


def test_a_client_that_was_held_is_held_a_second_later(house: House) -> None:
    with at(3, 6):
        memory.note_held("home", held("shop", "an audit failed"))
        with recorded("shop", "daily") as run:
            run.fails("held", "an audit failed")
        code, shown = status()
        assert code == 1 and "│ shop   │ held" in shown
        assert "shop: held by its last morning: an audit failed" in shown
        memory.doubt("shop", "home")  # as a promotion begins
        assert status()[0] == 1
        code, shown = status("--json")
        stood, waits = map(json.loads, shown.splitlines())
        assert code == 1 and stood["state"] == "held"
        assert waits["client"] == "shop" and "an audit failed" in waits["warning"]
        assert "shop: held: an audit failed\n" in CliRunner().invoke(app, ["watch"]).output


def test_a_run_that_goes_on_is_told(house: House) -> None:
    with at(3, 6):
        begin("shop", "daily")
        assert "│ shop   │ running" in status()[1]
