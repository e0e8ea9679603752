"""IHC by the service: whole journeys in each request, every answer kept, nothing paid for twice."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from pydantic import ValidationError

from demo.servers.http_server import Answer, Cut, Fault, Html, Server, Slow, Status, Truncated
from demo.servers.ihc_server import IhcServer, busy, down
from pipelines.blueprints.ihc_variables import ihc
from pipelines.ihc import request_log
from pipelines.ihc.packing import Journey, pack
from pipelines.ihc.service_answers import answers
from pipelines.settings.ihc import Ihc
from pipelines.sources import rest
from pipelines.sources.errors import PlatformError
from tests.builders.ihc_journeys import NOW, many, touchpoints
from tests.conftest import PROJECT, House
from tests.oracles.ihc_oracle import Session, scores

SETTINGS = """
name: One
currency: EUR
attribution:
  model: ihc
  ihc:
    by: service
    base_url: {url}
    {more}
sources: {{}}
"""
BLOCK = {
    "direction": "any_session",
    "receive_threshold": 0.5,
    "redistribution_channel_labels": ["Email"],
}
SHARES = ["initializer", "holder", "closer", "ihc"]


class Asker:
    """A client of the service, whose journeys a test makes up."""

    def __init__(self, house: House, server: IhcServer) -> None:
        self.house, self.server = house, server
        self.configure()

    def configure(self, **more: object) -> None:
        """Write the client's file, with more settings of `ihc`."""
        given = {"conv_type_id": "deals", "patience_minutes": 1, **more}
        lines = "\n    ".join(f"{name}: {value}" for name, value in given.items())
        text = SETTINGS.format(url=self.server.base_url, more=lines)
        (self.house.home / "clients/one.yaml").write_text(text)
        self.request = ihc("one", self.house.client("one").attribution).ihc_request

    def ask(self, journeys: dict[str, list[float]], **some) -> pd.DataFrame:
        """Return what is said of journeys: conversions, each with the hours of its touchpoints."""
        return self.ask_frame(touchpoints(journeys, **some))

    def ask_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what is said of touchpoints, in the order of their revisions and journeys."""
        return answers("one", self.request, frame, ["Email", "Paid Search"])

    def files(self, kind: str) -> list[Path]:
        """Return the files of a kind in the log of requests."""
        return sorted(request_log.log_folder("one").glob(f"{kind}/*"))


@pytest.fixture
def server() -> Iterator[IhcServer]:
    with IhcServer() as served:
        yield served


@pytest.fixture
def asker(
    house: House, server: IhcServer, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> Asker:
    monkeypatch.setenv("CLIENTS__ONE__IHC__API_KEY", server.key)
    return Asker(house, server)


# Settings


@pytest.mark.parametrize(
    ("ihc", "remedy"),
    [
        ({"by": "service"}, "needs `conv_type_id`"),
        ({"redistribution": {"holder": BLOCK}}, "remove it, or write `by: service`"),
        ({"base_url": "http://api.example.org"}, "begins with https://"),
        ({"sessions_per_request": 3001}, "less than or equal to 3000"),
        ({"weights": {"holder": 0.0}}, "greater than 0"),
        ({"channel_weights": {"Email": {"opener": 1.0}}}, "not permitted"),
    ],
    ids=str,
)
def test_settings_are_refused_with_a_remedy(ihc: dict, remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        Ihc(**ihc)


# Packing


@given(
    strategies.lists(strategies.integers(1, 60), max_size=200),
    strategies.integers(1, 12),
    strategies.integers(60, 90),
)
@settings(max_examples=60, deadline=None)
def test_packing_keeps_both_caps_and_every_journey_whole(
    sizes: list[int], most_journeys: int, most_sessions: int
) -> None:
    journeys = [Journey(f"deal-{i}", f"digest-{i:03}", size, "") for i, size in enumerate(sizes)]
    requests = pack(journeys, most_journeys, most_sessions)
    assert sorted(one for request in requests for one in request) == sorted(journeys)
    assert all(0 < len(request) <= most_journeys for request in requests)
    assert all(sum(one.sessions for one in request) <= most_sessions for request in requests)
    assert pack(reversed(journeys), most_journeys, most_sessions) == requests
    floor = max(-(-len(sizes) // most_journeys), -(-sum(sizes) // most_sessions))
    assert len(requests) <= 2 * floor + 9


def test_packing_refuses_what_no_request_can_hold() -> None:
    with pytest.raises(ValueError, match="deal-1 has 61 sessions"):
        pack([Journey("deal-1", "a", 61, "")], 100, 60)
    with pytest.raises(ValueError, match="deal-1 is there twice"):
        pack([Journey("deal-1", "a", 1, ""), Journey("deal-1", "b", 1, "")], 100, 60)


# What is asked and answered


def test_an_answer_is_kept_as_it_came(asker: Asker) -> None:
    found = asker.ask({"deal-1": [0, 30, 96], "deal-2": [0]})
    expected = [round(share, 4) for share in scores([Session(0), Session(30), Session(96)])]
    assert list(found["ihc"]) == [*expected, 1]
    assert set(found["method"]) == {"service"}
    (body,) = asker.server.bodies()
    assert list(body) == ["customer_journeys"]
    (last,) = [one for one in body["customer_journeys"] if one["session_id"] == "deal-1-0002"]
    assert last == {
        "conversion_id": "deal-1",
        "session_id": "deal-1-0002",
        "timestamp": "2026-09-05 12:00:00",
        "channel_label": "Email",
        "holder_engagement": 1,
        "closer_engagement": 1,
        "conversion": 1,
    }
    assert sum(one["conversion"] for one in body["customer_journeys"]) == 2
    assert asker.server.requests[0].query == {"conv_type_id": "deals"}


def test_a_conversion_split_over_two_requests_would_sum_to_two(server: IhcServer) -> None:
    """What the server does, and why journeys are packed whole."""
    from requests import post

    session = {"conversion_id": "deal-1", "timestamp": "2026-09-01 00:00:00", "channel_label": "X"}
    flags = {"holder_engagement": 1, "closer_engagement": 1, "conversion": 1}
    total = 0
    for number in range(2):
        body = {"customer_journeys": [{**session, **flags, "session_id": str(number)}]}
        url = f"{server.base_url}/compute_ihc?conv_type_id=deals"
        said = post(url, json=body, headers={"x-api-key": server.key}).json()
        total += sum(value["ihc"] for value in said["value"])
    assert total == 2


def test_caps_are_kept_and_every_conversion_sums_to_one(asker: Asker) -> None:
    asker.configure(journeys_per_request=40, sessions_per_request=200)
    asker.server.most_journeys, asker.server.most_sessions = 40, 200
    found = asker.ask(many(120) | {f"long-{i}": [5.0 * k for k in range(150)] for i in range(3)})
    assert found.groupby("conversion_id")["ihc"].sum().between(0.99, 1.01).all()
    assert set(asker.server.paid.values()) == {1}
    assert len(asker.server.requests) == 5  # 3 x (150 + 16 x 3), 40, 32


def test_a_journey_above_the_cap_is_cut_at_its_last_restart(asker: Asker) -> None:
    asker.configure(sessions_per_request=5)
    journeys = {"deal-1": [0, 1, 2, 300, 301, 302], "deal-2": [0, 1]}
    found = asker.ask(journeys, restarts=3).set_index("touchpoint_id")
    cut = found[found["conversion_id"] == "deal-1"]
    assert set(cut["method"]) == {"service: cut at its last restart"}
    assert cut["ihc"].isna().tolist() == [True] * 3 + [False] * 3
    assert cut["ihc"].sum() == pytest.approx(1, abs=1e-3)
    assert found["problem"].isna().all()


def test_a_journey_above_the_cap_without_a_restart_is_left_to_the_local_model(asker: Asker) -> None:
    asker.configure(sessions_per_request=5)
    found = asker.ask({"deal-1": list(range(6)), "deal-2": [0]})
    assert list(found["method"]) == ["local: journey above the cap"] * 6 + ["service"]
    assert found["ihc"].isna().tolist() == [True] * 6 + [False]
    assert asker.server.paid == {"deal-2": 1}


def test_of_several_revisions_the_newest_is_paid_for(asker: Asker) -> None:
    early = touchpoints({"deal-1": [0]}, revised_at=NOW - timedelta(days=1))
    late = touchpoints({"deal-1": [0, 1]})
    found = asker.ask_frame(pd.concat([early, late]))
    assert list(found["method"]) == ["local: revised before it was asked for", "service", "service"]
    assert asker.server.paid == {"deal-1": 1}
    assert list(asker.ask_frame(early)["method"]) == ["service"]  # alone, it is the newest
    again = asker.ask_frame(pd.concat([early, late]))
    assert list(again["method"]) == ["service"] * 3
    assert asker.server.paid == {"deal-1": 2}


# What is paid for


def test_what_was_answered_is_never_asked_again(asker: Asker) -> None:
    first = asker.ask(many(30))
    asker.configure(patience_minutes=3, concurrency=2, journeys_per_request=7)
    second = asker.ask(many(30))
    pd.testing.assert_frame_equal(first, second)
    assert len(asker.server.requests) == 1
    asker.ask(many(31))
    assert set(asker.server.paid.values()) == {1} and len(asker.server.paid) == 31


@pytest.mark.parametrize(
    "change",
    [
        {"conv_type_id": "leads"},
        {
            "redistribution": "{holder: {direction: any_session, receive_threshold: 0,"
            " redistribution_channel_labels: [Email]}}"
        },
    ],
    ids=["conversion type", "redistribution"],
)
def test_another_question_is_asked_anew(asker: Asker, change: dict) -> None:
    asker.server.conv_types = ("deals", "leads")
    asker.ask(many(2))
    asker.configure(**change)
    asker.ask(many(2))
    assert asker.server.paid == {"deal-0000": 2, "deal-0001": 2}
    asked = asker.server.bodies()[-1].get("redistribution_parameter")
    assert ("redistribution" in change) == bool(asked)


def test_a_journey_that_changed_is_asked_for_alone(asker: Asker) -> None:
    asker.ask(many(10))
    asker.ask(many(10) | {"deal-0003": [0, 1]})
    assert asker.server.paid == Counter({f"deal-{i:04}": 1 + (i == 3) for i in range(10)})


_ASK = """
import sys
from tests.builders.ihc_journeys import many, touchpoints
from pipelines.ihc.service_answers import answers
answers("one", sys.argv[1], touchpoints(many(60)), ["Email"])
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(asker: Asker) -> None:
    """Only what was on its way when the process was killed may be asked for again."""
    asker.configure(journeys_per_request=5, concurrency=1)
    command = [sys.executable, "-c", _ASK, asker.request]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    for _ in range(3):
        asker.server.fail(Slow(30), after=3)
        before = len(asker.files("answers"))
        process = subprocess.Popen(command, env=environment, cwd=PROJECT)
        deadline = time.monotonic() + 240
        while len(asker.files("answers")) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        asker.server.heal()
        assert len(asker.files("answers")) == before + 3
    found = asker.ask(many(60))
    assert set(found["method"]) == {"service"}
    # 12 requests of 5, and what may have been on its way at each of three kills
    assert 12 <= len(asker.server.requests) <= 12 + 3
    assert len(asker.files("answers")) == 12
    assert not list(request_log.log_folder("one").rglob("*.new"))


@given(strategies.data())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_fails_nothing_is_paid_for_twice(
    asker: Asker, data: strategies.DataObject
) -> None:
    shutil.rmtree(request_log.log_folder("one"), ignore_errors=True)
    asker.configure(journeys_per_request=3, concurrency=2)
    asker.server.paid.clear()
    numbers = strategies.sets(strategies.integers(0, 11), min_size=1)
    known: set[str] = set()
    for _ in range(data.draw(strategies.integers(1, 4))):
        wanted = {f"deal-{number}": [0.0, 30.0 + number] for number in data.draw(numbers)}
        asker.server.unreadable = {f"deal-{number}" for number in data.draw(numbers)} - known
        if is_down := data.draw(strategies.booleans()):
            code = data.draw(strategies.sampled_from([500, 502, 503]))
            asker.server.fail(down(code), times=None, after=data.draw(strategies.integers(0, 3)))
        try:
            found = asker.ask(wanted)
        except PlatformError:
            assert is_down
        else:
            assert set(found["conversion_id"]) == wanted.keys()
            answered = found[found["method"] == "service"]
            assert answered.groupby("conversion_id")["ihc"].sum().between(0.999, 1.001).all()
        asker.server.heal()
        known |= asker.server.paid.keys()
        assert set(asker.server.paid.values()) <= {1}


def test_a_torn_file_is_no_answer(asker: Asker) -> None:
    asker.ask(many(1))
    (file,) = asker.files("answers")
    file.rename(file.with_suffix(".new"))  # as a crash would leave it
    file.with_suffix(".new").write_bytes(b"PAR1")
    found = asker.ask(many(1))
    assert set(found["method"]) == {"service"}


# What goes wrong


@pytest.mark.parametrize(
    "fault",
    [busy(), busy(0), down(500), down(502), down(504), Cut(0), Cut(20), Html(), Truncated(0.3)],
    ids=str,
)
def test_what_passes_is_asked_again(asker: Asker, fault) -> None:
    asker.configure(patience_minutes=1)
    asker.server.fail(fault)
    found = asker.ask(many(1))
    assert set(found["method"]) == {"service"}
    assert len(asker.server.requests) == 2


def test_a_server_error_in_the_body_is_asked_again(asker: Asker) -> None:
    asker.configure(patience_minutes=1)
    asker.server.fail(Status(200, {"statusCode": 500, "value": [], "partialFailureErrors": []}))
    assert set(asker.ask(many(1))["method"]) == {"service"}
    assert len(asker.files("answers")) == 2  # what it said is kept, too


def test_a_wait_that_is_asked_for_is_kept(asker: Asker, waits: list[float]) -> None:
    asker.configure(patience_minutes=1)
    asker.server.fail(busy(2))
    asker.ask(many(1))
    assert sum(waits) >= 2


def test_what_was_answered_before_the_service_went_down_is_kept(asker: Asker) -> None:
    asker.configure(journeys_per_request=10, concurrency=1)
    asker.server.fail(down(), times=None, after=2)
    with pytest.raises(PlatformError) as raised:
        asker.ask(many(50))
    assert raised.value.code == "platform_down"
    assert len(asker.server.paid) == 20
    asker.server.heal()
    asker.ask(many(50))
    assert set(asker.server.paid.values()) == {1} and len(asker.server.paid) == 50


class Late(Fault):
    """Answer well, forty seconds later by the clock of `waits`."""

    def spoil(self, server: Server, produce: Callable[[], Answer]) -> Answer:
        rest.sleep(40)
        return produce()


def test_a_morning_does_not_wait_for_a_slow_service(asker: Asker) -> None:
    asker.configure(journeys_per_request=10, concurrency=1, patience_minutes=1)
    asker.server.fail(Late(), times=None)
    with pytest.raises(PlatformError, match=r"has not answered everything in 1 minutes"):
        asker.ask(many(50))
    assert len(asker.server.paid) == 20
    asker.server.heal()
    asker.ask(many(50))
    assert set(asker.server.paid.values()) == {1} and len(asker.server.paid) == 50


def test_what_the_service_cannot_read_is_put_aside_until_it_changes(asker: Asker) -> None:
    asker.server.unreadable = {"deal-0001"}
    for _ in range(2):
        found = asker.ask(many(3)).set_index("conversion_id")
        assert set(found.drop("deal-0001")["method"]) == {"service"}
        assert set(found.loc["deal-0001", "method"]) == {"local: the service could not read it"}
        assert found.loc["deal-0001", SHARES].isna().all(axis=None)
        assert "Not parsed" in found.loc["deal-0001", "problem"].iloc[0]
        assert found.drop("deal-0001")["problem"].isna().all()
    assert len(asker.server.requests) == 1
    asker.server.unreadable = set()
    asker.ask(many(3) | {"deal-0001": [0, 7]})
    assert [len(body["customer_journeys"]) for body in asker.server.bodies()] == [9, 2]


def test_each_unreadable_journey_has_its_own_problem(asker: Asker) -> None:
    asker.server.unreadable = {"deal-1", "deal-10"}
    found = asker.ask({"deal-1": [0], "deal-10": [0], "deal-100": [0]})
    problems = found.set_index("conversion_id")["problem"]
    assert '"deal-1"' in problems["deal-1"] and '"deal-10"' in problems["deal-10"]
    assert problems.isna()["deal-100"]


def test_a_journey_that_an_answer_lacks_is_put_aside(asker: Asker) -> None:
    asker.server.lost = {"deal-0001"}
    found = asker.ask(many(2)).set_index("conversion_id")
    assert found.loc["deal-0001", "problem"].iloc[0] == "its answer is not whole"


def test_a_wrong_key_is_named_and_never_kept(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENTS__ONE__IHC__API_KEY", "wrong-key-77")
    with pytest.raises(PlatformError, match="does not accept the key") as raised:
        asker.ask(many(1))
    assert raised.value.code == "credentials_refused"
    for file in asker.files("requests") + asker.files("answers"):
        assert b"wrong-key-77" not in file.read_bytes()


def test_a_missing_key_is_named(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLIENTS__ONE__IHC__API_KEY")
    with pytest.raises(PlatformError, match="CLIENTS__ONE__IHC__API_KEY"):
        asker.ask(many(1))


def test_a_request_that_is_not_accepted_says_why(asker: Asker) -> None:
    asker.server.conv_types = ()
    with pytest.raises(PlatformError, match=r"says 400.*conv_type_id is unknown") as raised:
        asker.ask(many(1))
    assert raised.value.code == "request_refused"
    asker.server.conv_types = ("deals",)
    assert set(asker.ask(many(1))["method"]) == {"service"}


def test_the_months_calls_end_with_a_reason(asker: Asker) -> None:
    asker.configure(journeys_per_request=10, calls_per_month=2)
    with pytest.raises(
        PlatformError, match=r"2 requests of this month are used up, 3 are not sent"
    ):
        asker.ask(many(50))
    assert len(asker.server.paid) == 20
    with pytest.raises(PlatformError):
        asker.ask(many(50))
    assert len(asker.server.requests) == 2
    asker.configure(journeys_per_request=10, calls_per_month=5)
    asker.ask(many(50))
    assert set(asker.server.paid.values()) == {1} and len(asker.server.paid) == 50


def test_calls_of_another_month_do_not_count(asker: Asker) -> None:
    folder = request_log.log_folder("one")
    request_log.keep_request(folder, [], "{}", datetime(2026, 8, 31, 23, 59))
    assert request_log.calls(folder, datetime(2026, 8, 1, tzinfo=timezone.utc)) == 1
    assert request_log.calls(folder, datetime(2026, 9, 1, tzinfo=timezone.utc)) == 0


def test_the_services_own_quota_is_not_waited_for(asker: Asker) -> None:
    asker.configure(patience_minutes=5)
    asker.server.calls_left = 0
    with pytest.raises(PlatformError, match="monthly quota is used up") as raised:
        asker.ask(many(1))
    assert raised.value.code == "rate_limited"


def test_a_label_that_no_channel_has_is_named_with_the_nearest(asker: Asker) -> None:
    block = (
        "{direction: any_session, receive_threshold: 0.5, redistribution_channel_labels: [Emial]}"
    )
    asker.configure(redistribution=f"{{holder: {block}}}")
    with pytest.raises(
        LookupError, match=r"redistribution.holder: no channel is called 'Emial'; .*'Email'"
    ):
        asker.ask(many(1))
    assert not asker.server.requests


class Together(Fault):
    """Answer once so many requests wait at a time; note the most that ever did."""

    def __init__(self, count: int) -> None:
        self.gate, self.lock = threading.Barrier(count, timeout=120), threading.Lock()
        self.waiting = self.most = 0

    def spoil(self, server: Server, produce: Callable[[], Answer]) -> Answer:
        with self.lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        self.gate.wait()
        with self.lock:
            self.waiting -= 1
        return produce()


def test_requests_are_sent_together_up_to_a_bound(asker: Asker) -> None:
    asker.configure(journeys_per_request=1, concurrency=4, patience_minutes=1)
    together = Together(4)
    asker.server.fail(together, times=8)
    asker.ask(many(8))
    assert len(asker.server.requests) == 8
    assert together.most == 4
