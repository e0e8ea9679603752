"""A CRM that exports files is followed by its folder: what is new is read once it is whole."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import pytest

from pipelines.settings.client import Client
from pipelines.stream import watched_folder
from pipelines.stream.adapters import adapter_of
from pipelines.stream.changed_deals import bring
from pipelines.stream.notices import Notice
from pipelines.stream.watched_folder import WatchedFolder
from tests.conftest import House

HEADER = "opportunity_id,customer_id,stage,is_won,closed_at,amount\n"
FEW = 10  # looks, in which a file is settled


@pytest.fixture
def client(house: House) -> Client:
    (house.home / "exports/borealis").mkdir(parents=True)
    return house.client("borealis")


@pytest.fixture
def folder(house: House, client: Client) -> Path:
    return house.home / "exports/borealis"


class Clock(Event):
    """A clock that a wait moves, and nothing else."""

    now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time of a wait pass at once."""
        self.now += timeout or 0
        return self.is_set()


@pytest.fixture
def watching(client: Client, monkeypatch: pytest.MonkeyPatch) -> WatchedFolder:
    adapter, clock = adapter_of(client), Clock()
    assert isinstance(adapter, WatchedFolder)
    monkeypatch.setattr(adapter, "_stopped", clock)
    monkeypatch.setattr(watched_folder, "monotonic", lambda: clock.now)
    return adapter


def export(folder: Path, name: str, *deals: int) -> Path:
    rows = [f"{deal},c{deal},Closed Won,true,2026-10-01 12:00:00,10" for deal in deals]
    file = folder / name
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return file


def news(notices: Iterator[Notice], looks: int = FEW) -> bool:
    """Return whether something is told within so many looks."""
    return any(next(notices).is_everything for _ in range(looks))


def test_a_file_is_read_when_it_comes_and_when_it_changes(
    folder: Path, client: Client, watching: WatchedFolder
) -> None:
    notices = watching.notices()
    assert not news(notices, looks=FEW)
    for number in (1, 2):
        export(folder, "opportunities-1.csv", *range(number))
        assert news(notices)
        assert bring(client, None, Notice([], is_everything=True)).counts.appended == 1
        assert not news(notices, looks=FEW)


def test_a_file_that_is_being_written_waits(folder: Path, watching: WatchedFolder) -> None:
    notices = watching.notices()
    with (folder / "opportunities-1.csv").open("w") as file:
        file.write(HEADER + "1,c1,Closed W")
        file.flush()
        if not watched_folder.is_being_written(folder / "opportunities-1.csv"):
            pytest.fail("this file system tells nobody who writes")
        assert not news(notices, looks=FEW)
        file.write("on,true,2026-10-01 12:00:00,10\n")
    assert news(notices)


def test_a_file_that_grows_waits_until_it_is_still(folder: Path, watching: WatchedFolder) -> None:
    notices = watching.notices()
    for number in range(15):
        export(folder, "opportunities-1.csv", *range(number))
        assert not news(notices, looks=1)
    assert news(notices)


def test_a_file_that_is_refused_is_told_once_and_waits_for_another(
    folder: Path, client: Client, watching: WatchedFolder
) -> None:
    notices = watching.notices()
    (folder / "opportunities-1.csv").write_text("nonsense\n1\n")
    assert news(notices)
    (said,) = bring(client, None, Notice([], is_everything=True)).notes
    assert said.startswith("halted: ") and "opportunities-1.csv" in said
    assert not news(notices, looks=FEW)
    export(folder, "opportunities-1.csv", 1)
    assert news(notices)


def test_a_file_that_is_cut_off_withdraws_nothing_and_waits_for_the_whole_one(
    folder: Path, client: Client, watching: WatchedFolder
) -> None:
    """As where whoever wrote it was killed: it is still, and nobody has it open."""
    notices, everything = watching.notices(), Notice([], is_everything=True)
    file = export(folder, "opportunities-1.csv", *range(20))
    assert news(notices) and bring(client, None, everything).counts.appended == 20
    whole = file.read_text()
    file.write_text(whole[: whole.index("\n9,") + 9])  # in the midst of a row
    assert news(notices)
    brought = bring(client, None, everything)
    assert brought.counts.appended == brought.counts.deleted == 0

    file.write_text(whole.replace(",10\n", ",11\n"))
    assert news(notices) and bring(client, None, everything).counts.appended == 20


def test_a_stop_ends_a_wait() -> None:
    watching = WatchedFolder(["nothing/*.csv"], look=3600)
    Timer(0.05, watching.stop).start()
    assert [*watching.notices()] == []
