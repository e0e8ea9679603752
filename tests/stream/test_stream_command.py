"""`make stream`: every client is followed until it is stopped, each for itself."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from demo.servers.event_bus import EventBus
from demo.servers.salesforce_server import SalesforceServer
from tests.builders.org import Org
from tests.builders.running_stream import RunningStream
from tests.conftest import House


@pytest.fixture
def org(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    for file in (house.home / "clients").iterdir():
        file.unlink()
    with SalesforceServer() as server:
        for name in ("TWO", "THREE"):
            for key, value in server.credentials.items():
                monkeypatch.setenv(f"CLIENTS__{name}__SALESFORCE__{key.upper()}", value)
        yield Org(house.home, server)


@pytest.fixture
def bus(org: Org) -> Iterator[EventBus]:
    with EventBus(org.server) as server:
        org.set(f'stream: {{bus: "{server.address}"}}')
        yield server


def close(org: Org, bus: EventBus, number: int, minutes: float = 1) -> None:
    deal = org.deal(number, minutes, StageName="Closed Won", IsWon=True)
    bus.publish("Opportunity", deal["Id"])


def test_clients_are_followed_as_their_files_come_and_go(org: Org, bus: EventBus) -> None:
    three = org.settings.with_name("three.yaml")
    with RunningStream() as stream:
        stream.says("two", "followed for the first time")
        close(org, bus, 1)
        stream.says("two", "1 deal changed")

        with RunningStream() as second:
            assert second.wait() == 0
        assert f"in process {stream.process.pid}" in second.lines[0]

        three.write_text(org.settings.read_text())
        stream.says("three", "1 deal changed")
        three.write_text("sources: [")
        stream.until(
            lambda: any("three" in line and "not readable" in line for line in stream.lines)
        )
        three.unlink()
        stream.says("three", "not followed any more")
        org.set("stream: {by: never}")
        stream.says("two", "left to the morning: its file says `by: never`")

        status = stream.end(signal.SIGTERM)

    assert (status, stream.lines[-1][:8]) == (0, "stopped:")
    assert org.deals("opportunity_id[15], stage") == [("1", "Closed Won")]


def test_an_org_whose_bus_refuses_is_asked(org: Org) -> None:
    with EventBus(org.server) as bus:
        bus.refuse_topic = True
        org.set(f'stream: {{bus: "{bus.address}"}}')
        org.deal(1)
        with RunningStream() as stream:
            stream.says("two", "asked every 5 minutes until then")
            stream.until(lambda: org.files() == 1)
            assert stream.end(signal.SIGINT) == 0

    status = json.loads((org.home / "stream/two.json").read_text())
    assert status["problem"] == "" and status["changed_at"] and status["ended_at"]


def test_a_process_that_dies_is_started_anew(org: Org, bus: EventBus) -> None:
    with RunningStream() as stream:
        stream.says("two", "followed for the first time")
        close(org, bus, 1)
        stream.says("two", "1 deal changed")
        listens, works = stream.children()
        os.kill(works, signal.SIGKILL)
        close(org, bus, 2)
        stream.until(lambda: len(stream.said("two", "1 deal changed")) == 2)
        os.kill(listens, signal.SIGKILL)
        close(org, bus, 3)
        stream.until(lambda: len(stream.said("two", "1 deal changed")) == 3)
        children = stream.children()
        stream.process.kill()
        stream.process.wait()
    with RunningStream() as stream:
        close(org, bus, 4)
        stream.says("two", "1 deal changed")
        stream.until_gone(children)

    assert org.deals("opportunity_id[15]") == [(str(number),) for number in (1, 2, 3, 4)]


KILLED_BEFORE_THE_PLACE_IS_KEPT = """
import os, signal
from pathlib import Path
from pipelines.__main__ import app
from pipelines.stream import cursors

keep, deals = cursors.write, Path(os.environ["ATTRIBUTION_HOME"], "lake/two/salesforce/opportunities")

def die(*place):
    if not [*deals.glob("*.parquet")]:
        return keep(*place)
    for process in (os.getppid(), os.getpid()):
        os.kill(process, signal.SIGKILL)

cursors.write = die
app()
"""


def test_a_kill_between_a_load_and_its_place_doubles_nothing(org: Org, bus: EventBus) -> None:
    with RunningStream(code=KILLED_BEFORE_THE_PLACE_IS_KEPT) as stream:
        stream.says("two", "followed for the first time")
        close(org, bus, 1)
        assert stream.wait() == -signal.SIGKILL
    assert org.deals("opportunity_id[15]") == [("1",)]
    with RunningStream() as stream:
        close(org, bus, 2)
        stream.says("two", "1 deal changed")

    assert org.deals("opportunity_id[15]") == [("1",), ("2",)]
