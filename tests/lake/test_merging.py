"""Many small files of the log become few: beside readers, after any crash, and no row says anything else."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ingest.withdrawal import withdraw
from pipelines.lake import merging
from pipelines.lake.append import alone
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.lake.merging import Merged, MergeError, merge
from pipelines.serving.memory import state
from pipelines.settings.reader import read
from tests.builders.many_loads import repeat_load
from tests.builders.tenant import Tenant
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("merging")  # its log is written once

COUNT = 10
FILES = 4 * COUNT  # of the spend, the load counts and the readings, and the markers
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def _ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a client of whom one file was ingested, as dlt leaves it, ten times over."""
    home = tmp_path_factory.mktemp("house")
    (home / "clients").mkdir()
    House(home).enter()
    tenant = Tenant(home)
    tenant.spend("spend-1.csv", "01,1,1.10", "02,1,2.20")
    assert tenant.ingest().counts.appended == 2
    repeat_load(folder(home), COUNT)
    return home


@pytest.fixture
def tenant(_ingested: Path, tmp_path: Path) -> Tenant:
    """A client with a log of ten loads, a day apart, the last of them now."""
    home = tmp_path / "house"
    shutil.copytree(_ingested / "lake", home / "lake")
    (home / "clients").mkdir()
    House(home).enter()
    return Tenant(home)


@pytest.fixture
def small(tenant: Tenant) -> Tenant:
    """The same with the spend and the markers alone, to try much on."""
    for table in ("exports", "readings"):
        shutil.rmtree(folder(tenant.home) / table)
    return tenant


@pytest.fixture
def now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1)


def folder(home: Path) -> Path:
    return home / "lake/one/google_ads"


def query(home: Path, table: str = "spend", since: datetime = datetime.min) -> str:
    """Return a query as a model gets it: of the files that are there now, of the loads since a time."""
    loads = committed_loads(str(folder(home)))
    loads = {load: at for load, at in loads.items() if at >= since}
    return f"FROM {read_loads(committed_files(str(folder(home)), table, loads), loads)} AS log"


def rows(query: str) -> list[tuple]:
    with duckdb.connect() as connection:
        columns = "load_id, loaded_at, row_key, ordinal, cost, export_file, line"
        return connection.execute(f"SELECT {columns} {query} ORDER BY ALL").fetchall()


def names(home: Path, table: str) -> list[str]:
    return sorted(each.name for each in (folder(home) / table).iterdir())


def test_many_files_become_few_and_each_row_keeps_its_load(tenant: Tenant, now: datetime) -> None:
    (client,) = read()[0]
    since = now - 5 * DAY
    before, was, some = (
        rows(query(tenant.home)),
        state(client),
        rows(query(tenant.home, since=since)),
    )

    assert merge("one", now) == Merged(files=FILES, into=4)
    assert rows(query(tenant.home)) == before and len(before) == 2 * COUNT
    assert rows(query(tenant.home, since=since)) == some and 0 < len(some) < len(before)
    assert merge("one", now) == Merged()

    assert merge("one", now + DAY) == Merged(removed=FILES)
    for table in ("spend", "exports", "readings", "_dlt_loads"):
        assert len(names(tenant.home, table)) == 2, table  # what was merged, and its record
    assert rows(query(tenant.home)) == before
    assert state(client) == was  # so the next morning has nothing new to do


def test_the_log_goes_on_after_it_was_merged(
    tenant: Tenant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows, is merged again, and a load in a merged file can be taken back."""
    merge("one", now)
    merge("one", now + DAY)
    before = rows(query(tenant.home))
    for cost in ("7.5", "8.5"):
        file = tenant.spend("spend-2.csv", f"20,1,{cost}")
        assert tenant.ingest().counts.appended == 1
    grown = rows(query(tenant.home))
    assert [row for row in grown if row in before] == before and len(grown) == len(before) + 2

    monkeypatch.setattr(merging, "FEW", 2)
    assert merge("one", now + DAY).into == 4
    merge("one", now + 2 * DAY)
    assert len(names(tenant.home, "spend")) == 2
    assert rows(query(tenant.home)) == grown
    file.unlink()
    assert [each.restored for each in withdraw("one", max(grown)[0])] == [1]
    costs = [row[4] for row in rows(query(tenant.home)) if row not in before]
    assert costs == ["7.5", "8.5", "7.5"]


Step = Callable[[], None]


def at_every_step(monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    """Call a function before and after each change of a name, and before what is written is on disk."""
    for name in ("replace", "unlink", "fsync"):

        def stepping(*arguments, before=getattr(os, name), **named):
            step()
            result = before(*arguments, **named)
            step()
            return result

        monkeypatch.setattr(os, name, stepping)


def test_at_every_step_readers_see_the_same_rows(
    small: Tenant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who look for files at some step and read them at a later one, as well."""
    before, prepared = rows(query(small.home)), []

    def look() -> None:
        prepared.append(query(small.home))
        assert rows(prepared[-1]) == before

    at_every_step(monkeypatch, look)
    merge("one", now)
    monkeypatch.undo()
    assert len(prepared) > 15
    assert all(rows(each) == before for each in dict.fromkeys(prepared))
    at_every_step(monkeypatch, look)
    assert merge("one", now + DAY).removed == 2 * COUNT
    assert rows(prepared[-1]) == before


def steps_of(home: Path, now: datetime, die_at: int = -1) -> int:
    """Merge in a process of its own, which kills itself at a step; return how many it came to."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_merge, args=(now, die_at, sender))
    process.start()
    sender.close()
    count = 0
    while True:
        try:
            count = receiver.recv()
        except EOFError:
            break
    process.join()
    assert process.exitcode == (-signal.SIGKILL if 0 <= die_at <= count else 0)
    return count


def _merge(now: datetime, die_at: int, talk) -> None:
    done = 0

    def step() -> None:
        nonlocal done
        talk.send(done)
        if done == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1

    at_every_step(pytest.MonkeyPatch(), step)
    merge("one", now)


def killed_everywhere(small: Tenant, tmp_path: Path, now: datetime) -> Iterator[int]:
    """Yield the home at each step that a merge is killed at; it is as it was before, each time."""
    kept = shutil.copytree(small.home / "lake", tmp_path / "kept")
    for step in range(steps_of(small.home, now) + 1):
        shutil.rmtree(small.home / "lake")
        shutil.copytree(kept, small.home / "lake")
        steps_of(small.home, now, die_at=step)
        yield step


@pytest.mark.parametrize("is_removing", [False, True])
def test_killed_at_any_step_it_has_changed_no_row_and_goes_on(
    small: Tenant, tmp_path: Path, now: datetime, is_removing: bool
) -> None:
    before = rows(query(small.home))
    if is_removing:
        merge("one", now)
        now += DAY
    for step in killed_everywhere(small, tmp_path, now):
        assert rows(query(small.home)) == before, step
        for days in range(3):
            merge("one", now + days * DAY)
        assert rows(query(small.home)) == before, step
        left = [each for each in names(small.home, "spend") if each.endswith(".parquet")]
        assert len(left) == 1 and not [each for each in folder(small.home).rglob(".*")], step


def test_a_source_that_is_ingested_waits_for_another_day(tenant: Tenant, now: datetime) -> None:
    with alone("one", "google_ads"):
        assert merge("one", now) == Merged()
    assert merge("one", now).files == FILES


def test_it_ends_when_its_time_is_over_and_goes_on_the_next_day(
    tenant: Tenant, now: datetime
) -> None:
    before = rows(query(tenant.home))
    asked = iter([False, False, True, *[True] * 99])
    assert merge("one", now, lambda: next(asked)) == Merged(files=COUNT, into=1)
    assert rows(query(tenant.home)) == before
    assert merge("one", now) == Merged(files=3 * COUNT, into=3)


def test_columns_of_other_types_are_not_made_one(tenant: Tenant, now: datetime) -> None:
    """A number that became a text would be written otherwise than in its own file: as 1.0, not as 1."""
    first = min((folder(tenant.home) / "spend").glob("*.parquet"))
    table = pq.read_table(first)
    pq.write_table(
        table.set_column(table.schema.get_field_index("cost"), "cost", pa.array([1, 2])), first
    )
    before = rows(query(tenant.home))
    merge("one", now)
    merge("one", now + DAY)
    assert rows(query(tenant.home)) == before
    assert first.name in names(tenant.home, "spend")


def test_what_is_large_stays(
    tenant: Tenant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SMALL", 10)
    assert merge("one", now) == Merged(files=COUNT, into=1)  # the markers


def test_a_merged_file_that_is_not_the_same_is_never_in_force(
    tenant: Tenant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(connection, file: Path, query: str) -> None:
        connection.execute(f"COPY (FROM ({query}) OFFSET 1) TO '{file}' (FORMAT parquet)")

    before = rows(query(tenant.home))
    monkeypatch.setattr(merging, "rewrite", lossy)
    with pytest.raises(MergeError, match=r"one/google_ads/spend/merged-\w+\.parquet does not hold"):
        merge("one", now)
    assert rows(query(tenant.home)) == before
    assert not [name for name in names(tenant.home, "spend") if name.startswith("merged")]


def test_a_torn_record_is_told_and_nobody_reads_half_a_log(tenant: Tenant, now: datetime) -> None:
    merge("one", now)
    record = folder(tenant.home) / "spend/merged.json"
    record.write_text(record.read_text()[:50])
    with pytest.raises(ValueError, match=r"one/google_ads/spend/merged\.json is not readable"):
        query(tenant.home)
