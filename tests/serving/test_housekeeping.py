"""Once a day small files are merged, and what has come of age is removed, counted and told once."""

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.client_states import state_of
from pipelines.commands.results import show_kept
from pipelines.lake.append import source_folder
from pipelines.lake.merging import FEW
from pipelines.ledger.runs import runs
from pipelines.published.version_folders import view_file, whole_versions
from pipelines.serving import ages
from pipelines.serving.disk_use import disk_use, note_shares
from pipelines.serving.housekeeping import Kept, keep, keep_house
from pipelines.serving.merging_allowed import allow_merging
from pipelines.settings.client import Client
from pipelines.settings.kept_versions import PublishedFiles
from tests.builders.many_loads import repeat_load
from tests.builders.published_files import publish, warehouse_with
from tests.builders.tenant import Tenant
from tests.conftest import House

DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """A client of whom a row is in quarantine, and a delivery was refused since."""
    home = tmp_path / "house"
    (home / "clients").mkdir(parents=True)
    House(home).enter()
    tenant = Tenant(home)
    tenant.spend("spend-1.csv", "01,1,1.10", "02,1,2.20", "03,1,much")
    assert tenant.ingest().counts.quarantined == 1
    tenant.deliver("spend-2.csv", "day;cost\n1;2\n")
    assert tenant.ingest().status.code == "refused"
    return tenant


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return House(tenant.home).client("one")


def aged(file: Path, days: float) -> Path:
    """Have a file written so many days ago."""
    moment = datetime.now().timestamp() - days * 86400
    os.utime(file, (moment, moment))
    return file


def touched(file: Path, days: float) -> Path:
    """Write a file as if it was so many days ago."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return aged(file, days)


def test_a_refused_file_goes_90_days_after_it_was_refused_last(
    tenant: Tenant, client: Client, now: datetime
) -> None:
    refused = tenant.home / "lake/one/_refused/google_ads"
    (reason,) = refused.glob("*.reason")
    aged(reason.with_suffix(""), 400)  # the file that was delivered may be old itself
    assert keep(client, now + 89 * DAY).done == []
    assert keep(client, now + 91 * DAY).done == ["removed 1 refused file"]
    assert list(refused.iterdir()) == []
    assert keep(client, now + 91 * DAY).done == []  # it is told once


@pytest.mark.parametrize("is_merged", [False, True])
def test_the_content_of_a_bad_row_goes_after_400_days_and_its_reason_stays(
    tenant: Tenant, client: Client, now: datetime, is_merged: bool
) -> None:
    folder = source_folder("one", "google_ads")
    if is_merged:
        repeat_load(folder, FEW, apart=10 * DAY)
        allow_merging("one", True)
        keep(client, now)
        keep(client, now + DAY)
    before = tenant.log("line, reason, content, load_id", table="quarantine")
    last = now + 399 * DAY
    assert keep(client, last - 80 * DAY).problems == []
    count = sum(
        datetime.fromtimestamp(float(load), timezone.utc) <= last - 400 * DAY for *_, load in before
    )
    assert count == (FEW - 1 if is_merged else 0)
    assert ages.empty_quarantine(client, last) == count
    assert ages.empty_quarantine(client, now + 401 * DAY) == len(before) - count
    assert ages.empty_quarantine(client, now + 401 * DAY) == 0
    after = tenant.log("line, reason, content, load_id", table="quarantine")
    assert after == [(line, reason, None, load) for line, reason, _, load in before]


def test_the_days_of_the_ledger_go_when_no_client_keeps_them(tenant: Tenant, now: datetime) -> None:
    days = [now - timedelta(days=each) for each in (749, 751, 999, 1001)]
    files = [tenant.home / f"runs/{day:%Y-%m-%d}.jsonl" for day in days]
    for file in files:
        touched(file, 0)
    tenant.settings.write_text(tenant.settings.read_text() + "kept_days: {ledger: 1000}\n")
    other = tenant.settings.with_name("two.yaml")
    other.write_text("name: Two\ncurrency: EUR\nsources: {}\n")
    House(tenant.home).client("two")
    assert shared(tenant, "two") == ["removed 1 day of the ledger of runs"]
    tenant.settings.write_text("name: [")  # nobody knows what it keeps
    (tenant.home / "lake/one/_settings/one.yaml").unlink(missing_ok=True)
    assert shared(tenant, "two") == []
    tenant.settings.unlink()
    assert shared(tenant, "two") == ["removed 2 days of the ledger of runs"]
    assert [file.exists() for file in files] == [True, False, False, False]


def shared(tenant: Tenant, *clients: str) -> list[str]:
    """Return what is done of what all clients share, when the house is kept anew."""
    for note in tenant.home.glob("lake/*/_housekeeping.json"):
        note.unlink()
    kept = list(keep_house([House(tenant.home).client(each) for each in clients]))
    return [line for each in kept if not each.client for line in each.done]


def test_what_killed_processes_left_goes_after_a_day(
    tenant: Tenant, client: Client, now: datetime
) -> None:
    lake = [
        tenant.home / f"lake/one/{name}" for name in (".status.json.7.new", "x/.a.parquet.7.new")
    ]
    others = [
        tenant.home / name
        for name in ("warehouse/.home.morning.json.7.new", "warehouse/home.duckdb.tmp/block-1")
    ]
    for file in lake + others:
        touched(file, 0.5)
    assert keep(client, now).done == shared(tenant, "one") == []
    for file in lake + others:
        aged(file, 2)
    assert keep(client, now).done == ["removed 2 files that killed processes had begun"]
    assert shared(tenant, "one") == ["removed 2 files that killed processes had begun"]


def test_a_torn_warehouse_stays_for_30_days(tenant: Tenant) -> None:
    torn = [touched(tenant.home / f"warehouse/home.duckdb.torn-{each}", each) for each in (29, 31)]
    assert shared(tenant, "one") == ["removed 1 torn warehouse file"]
    assert [file.exists() for file in torn] == [True, False]


def test_versions_go_of_a_client_that_has_nothing_new_to_publish(
    tenant: Tenant, client: Client, now: datetime
) -> None:
    for number in range(4):
        with warehouse_with({"one_publish.campaigns_v1": f"SELECT {number} AS cost"}) as warehouse:
            assert publish(warehouse, "one", keep=PublishedFiles(keep_days=7)) == {}
    today = client.model_copy(update={"published_files": PublishedFiles(keep_days=0)})
    assert keep(client, now).done == [] and len(whole_versions("one")) == 4
    assert keep(today, now).done == ["removed 2 versions of the published files"]
    assert len(whole_versions("one")) == 2 and view_file("one").exists()


def test_a_client_is_done_once_a_day_and_the_ledger_has_it(
    tenant: Tenant, client: Client, capsys: pytest.CaptureFixture
) -> None:
    repeat_load(source_folder("one", "google_ads"), FEW)
    assert Kept("one") in keep_house(
        [client]
    )  # older models may be in force, which would not find them
    waits = f"{5 * FEW} small files of its lake are not merged before make promote CLIENT=one"
    fresh = "SELECT NULL::TIMESTAMP AS loaded_until"
    with warehouse_with({"one_publish.freshness_v1": fresh}) as warehouse:
        publish(warehouse, "one")
    assert waits in what_waits(client)
    allow_merging("one", True)
    assert waits not in what_waits(client)
    for note in tenant.home.glob("lake/one/_housekeeping.json"):
        note.unlink()
    show_kept(keep_house([client]))
    count = 5 * FEW
    said = f"merged {count} small files of the lake into 5"
    assert capsys.readouterr().out == f"one: {said}\n"
    assert list(keep_house([client])) == []
    outcomes = [(each.outcome, each.reason) for each in runs("one", ["housekeeping"])]
    assert outcomes == [("unchanged", ""), ("ok", said)]


def what_waits(client: Client) -> list[str]:
    """Return what `make status` says that waits."""
    state = state_of(client, [], {}, [], datetime.now(timezone.utc))
    return [each.what for each in state.waiting]


def test_what_goes_wrong_is_a_note_and_done_again(
    tenant: Tenant, client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", "lake/one")

    with monkeypatch.context() as patched:
        patched.setattr(ages, "remove_refused", full)
        kept = keep(client, now + 91 * DAY)
        assert kept.problems == [
            "housekeeping: no space left for lake/one: free some, and run it again"
        ]
    assert keep(client, now + 91 * DAY) == Kept("one", ["removed 1 refused file"])


def test_a_client_that_dies_of_it_stops_nobody(
    tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ages, "remove_refused", lambda *_: os._exit(1))
    kept = [each for each in keep_house([client]) if each.client]
    assert kept == [Kept("one", [], ["housekeeping its process died: the next morning goes on"])]


def test_disk_is_counted_by_client_and_part(tenant: Tenant, client: Client, now: datetime) -> None:
    before = disk_use(client)
    assert before.lake and before.quarantine and not before.published and not before.warehouse
    assert before.lake_files == len(
        [each for each in (tenant.home / "lake/one").rglob("*") if each.is_file()]
    )
    warehouse = tenant.home / "warehouse/home.duckdb"
    warehouse.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(warehouse)) as opened:
        for name, count in (("one", 3000), ("two", 1000)):
            opened.execute(f"CREATE SCHEMA sqlmesh__{name}_publish")
            opened.execute(f"CREATE TABLE sqlmesh__{name}_publish.numbers AS FROM RANGE({count})")
        note_shares("home", opened, now)
    size = warehouse.stat().st_blocks * 512
    assert disk_use(client).warehouse == round(0.75 * size)
    for number in (1, 1, 2):  # of the second version the file is linked: it is on the disk once
        with warehouse_with(
            {"one_publish.campaigns_v1": f"FROM RANGE(9000), (SELECT {number})"}
        ) as made:
            publish(made, "one")
    found = disk_use(client)
    files = (tenant.home / "published").rglob("*.parquet")
    assert found.published > sum(
        {each.stat().st_ino: each.stat().st_size for each in files}.values()
    )
    assert found.total == sum(found[:5])


def test_a_client_without_a_lake_is_done_in_a_moment(house: House) -> None:
    assert [each.problems for each in keep_house([house.client("shop")])] == [[], []]
