"""The account of faults in small; `make soak` keeps it in large."""

import os
from pathlib import Path

import pytest

from tests.conftest import House
from tests.soak.account import failed
from tests.soak.corpus import corpus
from tests.soak.homes import empty_home
from tests.soak.hostile import set_beside
from tests.soak.kills import kill_everything
from tests.soak.malformed import deliver
from tests.soak.stream_kills import kill_streams
from tests.soak.surroundings import fill_the_disk, move_the_clock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTRIBUTION_HOME", str(tmp_path / "home"))
    return empty_home(tmp_path / "home")


def test_there_are_hundreds_of_malformed_exports_and_each_is_another() -> None:
    cases = corpus()
    assert len(cases) >= 300
    assert len({(case.file, case.content) for case in cases}) >= 300
    assert len({(case.fault, case.file, case.name) for case in cases}) == len(cases)
    assert cases == corpus()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_every_seventh_malformed_export_is_right_or_refused(home: Path, part: int) -> None:
    assert failed(deliver(corpus()[part::21], home)) == []


@pytest.mark.slow
def test_a_killed_command_ends_as_if_it_had_never_been_killed(tmp_path: Path) -> None:
    assert failed(kill_everything(1, tmp_path, seed=os.getpid())) == []


@pytest.mark.slow
def test_deals_that_close_while_stream_and_morning_are_killed_are_those_of_a_rebuild(
    tmp_path: Path,
) -> None:
    trials = kill_streams(1, tmp_path, seed=os.getpid(), ways=("events",), is_brief=True)
    assert failed(trials) == []


@pytest.mark.slow
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    assert failed(fill_the_disk(tmp_path, (120, 1200))) == []


def test_a_clock_that_is_moved_loses_nothing(house: House) -> None:
    assert failed(move_the_clock(house.home)) == []


@pytest.mark.slow
def test_hostile_clients_leave_a_good_one_as_it_would_be(tmp_path: Path) -> None:
    assert failed(set_beside(tmp_path)) == []
