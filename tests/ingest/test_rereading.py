"""A changed reading is read again: the lake says what it would say, had files always been read so."""

import gzip
import json
import os
import signal
import time
from pathlib import Path

import pytest
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.ingest import run as ingesting
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.readings import to_be_read_again
from pipelines.ingest.run import Outcome, ingest, ingest_source
from pipelines.processes import Bounds
from tests.builders.pasting import paste
from tests.builders.spend_files import FORMATS
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "day,account,campaign,gross,net"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered, of whose rows half may be bad."""
    return reads(Tenant(house.home), cost="gross")


def reads(tenant: Tenant, **columns: str) -> Tenant:
    """Let a client's file say by which columns spend is read."""
    named = {"spend_date": "day", "campaign_id": "campaign", **columns}
    House(tenant.home).change(
        tenant.name, sources={"google_ads": {"spend": {"columns": NONE | named}}}
    )
    return tenant


NONE = dict.fromkeys(["account_id", "campaign", "clicks", "impressions"])


def deliver(tenant: Tenant, file: str, *rows: str) -> Path:
    """Write a file of spend: a row is `day,account,campaign,gross,net`."""
    return tenant.deliver(
        f"spend-{file}.csv", "\n".join([HEAD, *(f"2026-10-{row}" for row in rows)])
    )


def costs(tenant: Tenant) -> set[tuple]:
    """Return day, account, campaign and cost of the spend that counts."""
    return tenant.newest("spend_date, account_id, campaign_id, cost")


def said(outcome: Outcome) -> str:
    """Return what an ingest says besides what it counts."""
    assert not outcome.problem
    return "; ".join(outcome.status.notes)


def test_a_corrected_column_is_read_again_and_says_so(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,12,10", "02,1,a,24,20")
    tenant.ingest()
    reads(tenant, cost="net")
    changed = ["google_ads.spend (columns.cost: gross, now net)"]
    assert to_be_read_again(House(tenant.home).client("one")) == changed
    outcome = tenant.ingest()

    assert to_be_read_again(House(tenant.home).client("one")) == []
    assert costs(tenant) == {("2026-10-01", None, "a", "10"), ("2026-10-02", None, "a", "20")}
    assert "1 file read again, as settings changed (columns.cost: gross, now net)" in said(outcome)
    assert "2 rows changed, 0 deleted" in said(outcome)
    assert tenant.ingest().counts.read == 0
    assert "columns.cost" in said(tenant.ingest())  # as long as nothing else is read


def test_a_corrected_key_leaves_no_row_twice(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,0", "01,2,a,2,0")
    deliver(tenant, "2", "01,1,a,1,0", "02,1,a,3,0")
    tenant.ingest()
    reads(tenant, cost="gross", account_id="account")
    tenant.ingest()

    rows = {("01", "1", "1"), ("01", "2", "2"), ("02", "1", "3")}
    assert costs(tenant) == {(f"2026-10-{day}", id_, "a", cost) for day, id_, cost in rows}


def test_a_file_that_was_written_over_loses_its_keys_too(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,0", "02,1,a,2,0")
    tenant.ingest()
    deliver(tenant, "1", "02,1,a,2,0", "03,1,a,3,0")  # the 2nd is not noted as this content's
    tenant.ingest()
    reads(tenant, cost="gross", account_id="account")
    outcome = tenant.ingest()

    rows = {("01", None, "1"), ("02", "1", "2"), ("03", "1", "3")}
    assert costs(tenant) == {(f"2026-10-{day}", id_, "a", cost) for day, id_, cost in rows}
    assert "1 rows of 1 delivery that is gone stay as they were read before" in said(outcome)


READ_OTHERWISE = {
    "csv.gz": {"columns": {"cost": "net", "account_id": "account"}},
    "jsonl": {"unit": {"cost": "cents"}},
    "parquet": {"where": "account = '1'"},
    "sqlite": {"numbers": {"decimal": ","}, "grain": "sum"},
}


@pytest.mark.parametrize("form", READ_OTHERWISE)
def test_each_kind_of_file_is_read_again_as_a_fresh_lake_reads_it(
    tmp_path: Path, form: str
) -> None:
    """With a file gone since, the lake says what a new one says, and what stays."""
    homes = [_home(tmp_path / name) for name in ("old", "new")]
    files = {1: [("01", "1", "a", "1", "10"), ("02", "2", "a", "2", "20")]}
    files |= {2: [("02", "2", "a", "3", "30"), ("03", "2", "b", "4", "?")]}
    files |= {3: [("09", "1", "c", "9", "90")]}
    for tenant, numbers in zip(homes, ((1, 2, 3), (1, 2))):
        House(tenant.home).enter()
        for number in numbers:
            _write(tenant, f"spend-{number}.{form}", files[number])
            if tenant is homes[0]:
                tenant.ingest()
        House(tenant.home).change("one", sources={"google_ads": {"spend": READ_OTHERWISE[form]}})
    fresh = homes[1]
    fresh.ingest()
    expected, tenant = costs(fresh), homes[0]
    House(tenant.home).enter()
    (tenant.exports / f"spend-3.{form}").unlink()
    outcome = tenant.ingest()

    assert "2 files read again, as settings changed" in said(outcome)
    gone = f"1 rows of 1 delivery that is gone stay as they were read before: exports/one/spend-3.{form}"
    assert gone in said(outcome)
    assert costs(tenant) == expected | {("2026-10-09", None, "c", "9")}
    assert tenant.ingest().counts.read == 0
    done = ingest_source(House(tenant.home).client("one"), "google_ads", is_asked=True)
    assert (done.problem, done.counts.appended, done.counts.deleted) == ("", 0, 0)
    assert done.counts.read


@pytest.mark.parametrize("form", READ_OTHERWISE)
def test_what_a_limit_refused_is_read_once_it_is_raised_and_stays(
    tenant: Tenant, form: str
) -> None:
    house, rows = House(tenant.home), [("01", "1", "a", "1", "1"), ("02", "1", "a", "?", "1")]
    _write(
        tenant, f"spend-1.{form}", [*rows, ("03", "1", "a", "2", "?"), ("04", "1", "a", "-", "")]
    )
    house.change("one", quality={"quarantine_limit": 0.3})
    assert "2 of 4 rows are bad" in tenant.ingest().problem
    house.change("one", quality={"quarantine_limit": 0.5})
    raised = tenant.ingest()
    assert (raised.problem, raised.counts) == ("", Counts(4, 2, quarantined=2))

    house.change("one", quality={"quarantine_limit": 0.0})
    _write(tenant, f"spend-2.{form}", [("05", "1", "a", "5", "5")])
    assert (tenant.ingest().counts, tenant.ingest().counts) == (Counts(1, 1), Counts())
    expected = {("01", "1"), ("03", "2"), ("05", "5")}
    assert costs(tenant) == {(f"2026-10-{day}", None, "a", cost) for day, cost in expected}


def test_what_was_too_large_unpacked_is_read_once_it_may_be(tenant: Tenant) -> None:
    house, rows = House(tenant.home), [("01", "1", "a", "1", "1" * 1_500_000)]
    _write(tenant, "spend-1.csv.gz", [*rows, ("02", "1", "a", "2", "1")])
    house.change("one", limits={"unpacked_mb": 1})
    assert "unpacked_mb" in tenant.ingest().problem
    house.change("one", limits={"unpacked_mb": 2})
    assert not tenant.ingest().problem
    house.change("one", limits={"unpacked_mb": 1})
    assert tenant.ingest().counts == Counts()
    assert {cost for *_, cost in costs(tenant)} == {"1", "2"}


@pytest.mark.parametrize("key", ["nothing", "row_lines"])
def test_what_is_nothing_and_what_is_a_row_is_read_again(tenant: Tenant, key: str) -> None:
    """There and back: a row that the setting takes is deleted, and one that it gives is read."""
    note = '04,1,a,4,"one, two, three, four, five\nsix, seven, eight, nine, ten"'
    deliver(tenant, "1", "01,1,a,1,1", "02,1,nobody,2,1", "03,1,b,3,1", note)
    first = tenant.ingest()
    assert (first.problem, first.counts.quarantined) == ("", 1)
    before = tenant.settings.read_text()
    assert {cost for *_, cost in costs(tenant)} == {"1", "2", "3"}

    if key == "nothing":
        tenant.settings.write_text(f"nothing: [nobody]\n{before}")
    else:
        House(tenant.home).change("one", sources={"google_ads": {"spend": {"row_lines": 2}}})
    assert f"1 file read again, as settings changed ({key}: " in said(tenant.ingest())
    with_it = {"1", "3"} if key == "nothing" else {"1", "2", "3", "4"}
    assert {cost for *_, cost in costs(tenant)} == with_it
    tenant.settings.write_text(before)
    assert not tenant.ingest().problem
    assert {cost for *_, cost in costs(tenant)} == {"1", "2", "3"}
    assert tenant.ingest().counts == Counts()


def _grow(work: object) -> None:
    """Take ever more memory, and time."""
    held = []
    for _ in range(3_000):
        held.append(os.urandom(1_000_000))
        time.sleep(0.01)


@pytest.mark.parametrize(
    "bound", [Bounds(seconds=0.001), Bounds(megabytes=1)], ids=["time", "memory"]
)
def test_what_a_bound_ended_is_read_once_that_is_raised_and_stays(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, bound: Bounds
) -> None:
    def outcome() -> Outcome:
        (outcomes,) = ingest([House(tenant.home).client("one")])
        return next(each for each in outcomes if each.source == "google_ads")

    deliver(tenant, "1", "01,1,a,1,1")
    with monkeypatch.context() as patched:
        patched.setattr(ingesting, "bounds", lambda client: bound)
        patched.setattr(ingesting, "_ingest_alone", _grow)
        ended = outcome()
        assert ended.status.code == "failed" and costs(tenant) == set()
    paste(tenant.settings, ended.problem)
    assert outcome().counts == Counts(1, 1)
    with monkeypatch.context() as patched:
        patched.setattr(ingesting, "bounds", lambda client: bound)
        patched.setattr(ingesting, "_ingest_alone", _grow)
        assert outcome().status.code == "failed"
    assert {cost for *_, cost in costs(tenant)} == {"1"}
    assert (outcome().counts, len(tenant.log("*"))) == (Counts(), 1)


def _home(home: Path) -> Tenant:
    """Return a client of a home of its own, in which half of the rows may be bad."""
    (home / "clients").mkdir(parents=True)
    House(home).enter()
    return reads(Tenant(home), cost="gross")


def _write(tenant: Tenant, file: str, rows: list[tuple]) -> None:
    """Write rows of spend in the format that a name says."""
    written = [(f"2026-10-{row[0]}", *row[1:]) for row in rows]
    path, head = tenant.exports / file, tuple(HEAD.split(","))
    FORMATS[file.split(".")[1]](path, written, head=head)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))


def test_an_older_file_does_not_win_because_it_is_read_again(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10")
    tenant.ingest()
    deliver(tenant, "2", "01,1,a,2,20")
    tenant.ingest()
    reads(tenant, cost="net")
    tenant.ingest()

    assert costs(tenant) == {("2026-10-01", None, "a", "20")}


def test_what_is_gone_is_named_and_read_again_once_it_is_back(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10", "02,1,a,1,10")
    tenant.ingest()
    newer = deliver(tenant, "2", "01,1,a,2,20", "03,1,a,2,20")
    tenant.ingest()
    content = newer.read_bytes()
    newer.unlink()
    reads(tenant, cost="net")
    outcome = tenant.ingest()

    days = {"01": "2", "02": "10", "03": "2"}  # the older file does not replace what is gone
    assert costs(tenant) == {(f"2026-10-{day}", None, "a", cost) for day, cost in days.items()}
    assert "2 rows of 1 delivery that is gone stay" in said(outcome)
    assert "exports/one/spend-2.csv" in said(outcome)

    newer.write_bytes(content)
    tenant.ingest()
    days = {"01": "20", "02": "10", "03": "20"}
    assert costs(tenant) == {(f"2026-10-{day}", None, "a", cost) for day, cost in days.items()}


def test_a_row_that_is_bad_now_is_deleted(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,?", "02,1,a,2,20", "03,1,a,3,30")
    tenant.ingest()
    reads(tenant, cost="net")
    outcome = tenant.ingest()

    assert {cost for *_, cost in costs(tenant)} == {"20", "30"}
    assert (outcome.counts.quarantined, outcome.counts.deleted) == (1, 1)


def test_rows_in_quarantine_are_read_once_there_are_rates(tenant: Tenant) -> None:
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency"
    deals = [f"d{n},c,Won,true,2026-10-0{n},5,{money}" for n, money in ((1, "EUR"), (2, "USD"))]
    tenant.deliver("deals.csv", "\n".join([head, *deals]))
    assert tenant.ingest("salesforce").counts.quarantined == 1
    rates = {"rates": {"files": "exports/one/rates.csv"}}
    House(tenant.home).change(tenant.name, sources={"rates": rates})
    outcome = tenant.ingest("salesforce")

    deals = tenant.log("opportunity_id", "salesforce", "opportunities")
    assert sorted(deals) == [("d1",), ("d2",)]
    assert "rates: no, now yes" in said(outcome)
    assert outcome.counts.appended == 1


def test_a_full_export_is_read_again(house: House) -> None:
    tenant = reads(Tenant(house.home, delivery="full"), cost="gross")
    deliver(tenant, "2026-10-01", "01,1,a,1,0")
    tenant.ingest()
    deliver(tenant, "2026-10-02", *(f"{day:02},1,a,2,0" for day in range(1, 20)))
    tenant.ingest()
    reads(tenant, cost="gross", account_id="account")
    outcome = tenant.ingest()  # all ids are new: it is the client's file that says so

    assert not outcome.problem
    assert {id_ for _, id_, *_ in costs(tenant)} == {"1"}
    assert len(costs(tenant)) == 19


def test_the_reading_is_kept_with_the_file(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10")
    tenant.ingest()

    ((file, reading),) = tenant.log("export_file, reading", table="readings")
    assert file == "exports/one/spend-1.csv"
    assert json.loads(reading)["export"]["columns"]["cost"] == ["gross"]


def test_a_lake_from_before_is_not_read_again(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10")
    tenant.ingest()
    for file in (tenant.home / "lake/one/google_ads/readings").iterdir():
        file.unlink()

    assert tenant.ingest().counts.read == 0  # it counts as read by these settings, from now on
    reads(tenant, cost="net")
    assert tenant.ingest().counts.read == 1
    assert {cost for *_, cost in costs(tenant)} == {"10"}


def test_settings_that_models_read_need_no_reading(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10")
    tenant.ingest()
    House(tenant.home).change(
        tenant.name,
        timezone="Europe/Madrid",
        attribution={"model": "linear"},
        sources={"google_ads": {"campaigns": {"a": "b"}}},
    )

    assert tenant.ingest().counts.read == 0


def test_to_read_again_what_is_read_the_same_changes_nothing(tenant: Tenant) -> None:
    deliver(tenant, "1", "01,1,a,1,10", "02,1,a,1,10")
    tenant.ingest()
    deliver(tenant, "2", "01,1,a,2,20")
    deliver(tenant, "3", "01,1,a,1,10", "03,1,a,2,20")
    tenant.ingest()
    deliver(
        tenant, "1", "01,1,a,1,10", "04,1,a,5,50"
    )  # the row of the 2nd stays: increments only add
    tenant.ingest()
    before = costs(tenant)
    client = House(tenant.home).client("one")
    outcome = ingest_source(client, "google_ads", is_asked=True)

    assert not outcome.problem
    assert outcome.counts == Counts(read=5, unchanged=5)
    assert costs(tenant) == before
    assert tenant.ingest().counts.read == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_killed_reading_is_done_exactly_once(tenant: Tenant, after: bool) -> None:
    deliver(tenant, "1", "01,1,a,1,10", "02,2,a,2,20")
    tenant.ingest()
    reads(tenant, cost="net", account_id="account")
    if not (child := os.fork()):
        complete = FilesystemClient.complete_load

        def die(*arguments) -> None:
            if after:
                complete(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        FilesystemClient.complete_load = die
        tenant.ingest()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    outcome = tenant.ingest()

    assert outcome.counts.deleted == (0 if after else 2)
    expected = {("2026-10-01", "1", "a", "10"), ("2026-10-02", "2", "a", "20")}
    assert costs(tenant) == expected
    assert len(tenant.log("*")) == 2 + 2 + 2


def test_reread_says_what_it_read_and_what_it_cannot(tenant: Tenant) -> None:
    house = House(tenant.home)
    deliver(tenant, "1", "01,1,a,1,10")
    tenant.ingest()

    done = house.run("make", "-o", "install", "reread", "CLIENT=one", "SOURCE=google_ads")
    assert done.returncode == 0
    assert "google_ads: spend: 1 file read again: 0 rows changed, 0 deleted" in done.stdout
    wrong = house.pipelines("reread", "one", "--source", "google")
    assert wrong.returncode == 1
    assert "one has no source google; it has google_ads, salesforce" in wrong.stdout
    api = {"base_url": "https://one.my.salesforce.com"}
    written = {"name": "one", "currency": "EUR", "sources": {"salesforce": {"api": api}}}
    tenant.settings.write_text(json.dumps(written))
    asked = house.pipelines("reread", "one", "--source", "salesforce")
    assert asked.returncode == 1
    assert "salesforce is asked by its API and has no files to read again" in asked.stdout
    assert "make backfill CLIENT=one SINCE=2026-01-01" in asked.stdout


ROW = st.tuples(st.integers(1, 3), st.integers(1, 2), st.sampled_from("ab"), st.integers(0, 2))
FILE = st.lists(ROW, min_size=1, max_size=4, unique_by=lambda row: row[:3])
READINGS = st.sampled_from(
    [{"cost": "gross"}, {"cost": "net"}, {"cost": "gross", "account_id": "account"}]
)


@settings(max_examples=12, phases=[Phase.generate])
@given(files=st.lists(FILE, min_size=1, max_size=3), changes=st.lists(READINGS, max_size=2))
def test_reading_again_is_as_a_fresh_lake(
    tmp_path_factory: pytest.TempPathFactory, files: list, changes: list
) -> None:
    homes = [tmp_path_factory.mktemp("reread") for _ in range(2)]
    for home in homes:
        (home / "clients").mkdir()
    tenant, fresh = (Tenant(home) for home in homes)
    readings = [{"cost": "gross"}, *changes]
    for number, rows in enumerate(files):
        House(tenant.home).enter()
        reads(tenant, **readings[min(number, len(readings) - 1)])
        _deliver(tenant, number, rows)
        tenant.ingest()
    House(tenant.home).enter()
    reads(tenant, **readings[-1]).ingest()

    House(fresh.home).enter()
    reads(fresh, **readings[-1])
    for number, rows in enumerate(files):
        _deliver(fresh, number, rows)
        fresh.ingest()
    columns = "spend_date, account_id, campaign_id, cost"
    expected = fresh.newest(columns)
    House(tenant.home).enter()
    assert tenant.newest(columns) == expected


def _deliver(tenant: Tenant, number: int, rows: list[tuple]) -> None:
    by_key = {(day, campaign): account for day, account, campaign, _ in rows}
    lines = (
        f"{day:02},{account},{campaign},{cost},{cost + 10}"
        for day, account, campaign, cost in rows
        if by_key[day, campaign] == account  # one row a key, by either reading
    )
    deliver(tenant, str(number), *lines)
