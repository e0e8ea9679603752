"""Time of commit: it never goes back, and no load is dated into what a run has closed without it."""

import resource
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import time_machine
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

from pipelines.lake import append
from pipelines.lake.commit_clock import commit_time, wait_for_commits
from pipelines.lake.future_loads import dated_ahead
from pipelines.lake.loads import commit_times, committed_loads
from tests.builders.tenant import Tenant
from tests.conftest import House

NOON = datetime(2026, 11, 3, 12)
MIDNIGHT = datetime(2026, 11, 4)
BACK = timedelta(hours=2)


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def ingest_at(moment: datetime, tenant: Tenant, source: str = "google_ads") -> None:
    """Ingest a source when the machine's clock shows some time."""
    with time_machine.travel(f"{moment.isoformat()}Z", tick=True):
        assert not tenant.ingest(source).problem


def times(tenant: Tenant, source: str = "google_ads") -> list[datetime]:
    """Return when each load of a source was committed, oldest first."""
    return list(commit_times(str(tenant.home / "lake/one" / source)).values())


def test_a_clock_that_is_put_back_leaves_the_last_delivery_the_newest(tenant: Tenant) -> None:
    for number, cost in enumerate((1, 2, 3)):
        tenant.spend("spend.csv", f"01,a,{cost}")
        ingest_at(NOON - number * BACK, tenant)

    assert tenant.newest("cost") == {("3",)}
    assert [cost for (cost,) in tenant.log("cost")] == ["1", "2", "3"]
    assert len(set(committed_loads(str(tenant.home / "lake/one/google_ads")).values())) == 3


def test_a_clock_that_is_put_back_hides_no_change_of_a_file(tenant: Tenant) -> None:
    for number, cost in enumerate((1, 2, 1)):
        tenant.spend("spend.csv", f"01,a,{cost}")
        ingest_at(NOON - number * BACK, tenant)

    assert tenant.newest("cost") == {("1",)}


@pytest.mark.parametrize("jump", [-2 * BACK, BACK])
def test_a_clock_that_jumps_within_an_ingest_dates_its_load_after_the_run_before(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    """The clock is put right between the reading of a file and its commit; a run has looked before."""
    tenant.spend("spend.csv", "01,a,1")
    ingest_at(NOON, tenant)
    looked = NOON + timedelta(hours=1)
    commit = append.append
    with time_machine.travel(f"{looked.isoformat()}Z", tick=True) as clock:
        wait_for_commits(tenant.home / "lake/one")

        def jumps(*given: Any) -> None:
            clock.move_to(f"{(looked + jump).isoformat()}Z")
            commit(*given)

        monkeypatch.setattr(append, "append", jumps)
        tenant.spend("spend.csv", "01,a,2")
        assert not tenant.ingest().problem
        tenant.spend("spend.csv", "01,a,3")
        assert not tenant.ingest().problem

    first, *later = times(tenant)
    assert first < looked < later[0] < later[1]
    assert later[0] >= looked + jump
    assert tenant.newest("cost") == {("3",)}


def test_loads_in_the_first_minutes_of_a_day_keep_their_order(tenant: Tenant) -> None:
    for cost in range(4):
        tenant.spend("spend.csv", f"01,a,{cost}")
        ingest_at(MIDNIGHT, tenant)

    seen = list(committed_loads(str(tenant.home / "lake/one/google_ads")).values())
    assert seen == sorted(set(seen)) and len(seen) == 4
    assert {moment.date() for moment in seen} == {MIDNIGHT.date()}


def test_a_client_has_one_order_of_commits(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    ingest_at(MIDNIGHT + timedelta(minutes=10), tenant)
    deal = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency\nd1,c1,Won,true,2026-10-01,5,"
    tenant.deliver("deals.csv", deal)
    ingest_at(MIDNIGHT - timedelta(minutes=10), tenant, "salesforce")

    assert times(tenant, "salesforce") > times(tenant)


def test_a_load_that_a_run_did_not_see_is_dated_after_the_run(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = FilesystemClient.complete_load
    run_at = MIDNIGHT + timedelta(seconds=5)

    def run_before_it_is_committed(client: FilesystemClient, load_id: str) -> None:
        clock.move_to(f"{run_at.isoformat()}Z")
        wait_for_commits(tenant.home / "lake/one")
        clock.move_to("2026-11-03T23:00:00Z")  # the clock is corrected at the worst of times
        complete(client, load_id)

    tenant.spend("spend.csv", "01,a,1")
    ingest_at(NOON, tenant)
    monkeypatch.setattr(FilesystemClient, "complete_load", run_before_it_is_committed)
    tenant.spend("spend.csv", "01,a,2")
    with time_machine.travel("2026-11-03T23:59:59.900Z", tick=True) as clock:
        tenant.ingest()

    assert times(tenant)[-1] > run_at
    assert max(committed_loads(str(tenant.home / "lake/one/google_ads")).values()) >= MIDNIGHT


def test_a_run_waits_for_a_commit_that_has_its_time(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    folder = tenant.home / "lake/one/google_ads"

    def look() -> None:
        wait_for_commits(folder.parent)
        seen.append(len(committed_loads(str(folder))))

    write, run = append.write_atomically, Thread(target=look)

    def write_while_a_run_looks(file: Path, content: str) -> None:
        run.start()
        run.join(timeout=0.2)  # it cannot have looked, however long this waits
        write(file, content)

    monkeypatch.setattr(append, "write_atomically", write_while_a_run_looks)
    tenant.spend("spend.csv", "01,a,1")
    tenant.ingest()
    run.join()

    assert seen == [1]


@pytest.mark.parametrize("content", ["", "2026-11-0", "torn"])
def test_a_torn_clock_keeps_the_order_of_the_log(tenant: Tenant, content: str) -> None:
    tenant.spend("spend.csv", "01,a,1")
    ingest_at(NOON, tenant)
    (tenant.home / "lake/one/_clock").write_text(content)
    tenant.spend("spend.csv", "01,a,2")
    ingest_at(NOON - BACK, tenant)

    assert tenant.newest("cost") == {("2",)}


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"\0" * 200, b"[]", b"null", b"{}", b'{"load_id": 1}']
)
def test_a_torn_marker_is_no_load_and_its_file_is_read_again(
    tenant: Tenant, content: bytes
) -> None:
    tenant.spend("spend.csv", "01,a,1")
    ingest_at(NOON, tenant)
    (marker,) = (tenant.home / "lake/one/google_ads/_dlt_loads").glob("*.jsonl")
    marker.write_bytes(content)
    assert times(tenant) == [] and not dated_ahead("one")
    ingest_at(NOON + BACK, tenant)

    assert tenant.log("cost") == [("1",)]


def test_a_lake_that_is_read_only_is_read(tenant: Tenant) -> None:
    wait_for_commits(tenant.home / "lake/one")  # nothing was ever committed
    assert not (tenant.home / "lake/one").exists()


def test_a_load_of_a_clock_that_was_ahead_is_named_until_then(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    ingest_at(NOON, tenant)
    tenant.spend("spend.csv", "01,a,2")
    ingest_at(NOON - BACK, tenant)

    with time_machine.travel("2026-11-03T10:05:00Z", tick=False):
        ((source, ahead),) = dated_ahead("one").items()
    with time_machine.travel("2026-11-03T12:05:00Z", tick=False):
        assert not dated_ahead("one")
    assert source == "google_ads" and ahead > NOON


def test_a_time_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    with commit_time(tmp_path, NOON) as first:
        pass
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as if the disk were full
    try:
        with pytest.raises(OSError, match="too large"), commit_time(tmp_path, NOON + BACK):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert datetime.fromisoformat((tmp_path / "_clock").read_text()) == first


def test_a_time_to_the_second_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "_clock").write_text("2030-01-01T00:00:00")
    with commit_time(tmp_path, NOON) as moment:
        pass

    assert moment == datetime(2030, 1, 1, microsecond=1000)
    assert datetime.fromisoformat((tmp_path / "_clock").read_text()) == moment
