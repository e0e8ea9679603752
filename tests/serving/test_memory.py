"""A morning is left out only where it would change nothing."""

from datetime import timedelta, timezone

import time_machine

from pipelines.serving import memory
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
