"""Works are done each in a process of its own: one that dies or never ends is told, and stops nobody."""

import os
import time

import pytest

from pipelines.processes import Process
from pipelines.settings.client import Client
from pipelines.stream import workshop
from pipelines.stream.notices import Brought
from pipelines.stream.process_messages import Done, Work
from tests.conftest import House


def misbehaving(work: Work) -> Done:
    """Die, never end, or end well, by the client's name."""
    if work.client.id == "dies":
        os._exit(1)
    while work.client.id == "endless":
        time.sleep(60)
    return Done(work, Brought(notes=["well"]))


def client(name: str) -> Client:
    settings = {"id": name, "name": name, "currency": "EUR", "limits": {"minutes": 0.02}}
    return Client.model_validate(settings | {"sources": {}})


def test_a_work_that_dies_or_never_ends_is_told_and_stops_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "_do", misbehaving)
    process = Process(workshop.do_works, has_children=True)
    try:
        for number, name in enumerate(("endless", "endless", "dies", "fine", "fine")):
            process.send(Work(client(name), "bring", number))
        done = [process.connection.recv() for _ in range(5)]
    finally:
        process.end()

    ended = sorted((each.work.client.id, each.work.number) for each in done)
    assert ended == [("dies", 2), ("endless", 0), ("endless", 1), ("fine", 3), ("fine", 4)]
    said = {each.work.client.id: each.failure and each.failure.problem for each in done}
    assert said == {
        "dies": "its process died",
        "endless": "its process did not end in its time (0.02 minutes, limits.minutes)",
        "fine": None,
    }
