"""A bad load is taken back by a new one: rows are as before it, and are counted; the log only grows."""

import os
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ingest.withdrawal import WithdrawalError, withdraw
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.ledger.runs import runs
from tests.builders import lake_writer
from tests.builders.lake_writer import START, Load
from tests.builders.tenant import Tenant
from tests.conftest import House


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with a good file of spend, loaded."""
    tenant = Tenant(house.home, deletion_limit=1)
    tenant.spend("spend-1.csv", "01,brand,10", "01,spring,20", "02,brand,30")
    assert not tenant.ingest().problem
    return tenant


def newest_load(tenant: Tenant) -> str:
    """Return the id of the load that was committed last."""
    return list(committed_loads(str(tenant.home / f"lake/{tenant.name}/google_ads")))[-1]


def known(tenant: Tenant) -> set[tuple]:
    return tenant.newest("spend_date, campaign_id, cost")


def accounted(tenant: Tenant) -> tuple[int, int]:
    """Return how many rows the loads say they brought, and how many there are: what the audit compares."""
    folder = tenant.home / f"lake/{tenant.name}/google_ads"
    loads = committed_loads(str(folder))
    with duckdb.connect() as connection:
        exports = read_loads(committed_files(str(folder), "exports", loads), loads)
        rows = read_loads(committed_files(str(folder), "spend", loads), loads)
        return connection.execute(
            f"""SELECT (SELECT SUM(rows_appended - rows_superseded + rows_deleted)::INT FROM {exports} AS log),
            (SELECT COUNT(DISTINCT (row_key, load_id)) FROM {rows} AS log)"""
        ).fetchone()


GOOD = {
    ("2026-10-01", "brand", "10"),
    ("2026-10-01", "spring", "20"),
    ("2026-10-02", "brand", "30"),
}


def bring_bad(tenant: Tenant) -> Path:
    """Load a file that changes a row and brings one that is wrong."""
    bad = tenant.spend("spend-2.csv", "02,brand,30000", "03,brand,40000")
    assert not tenant.ingest().problem
    assert len(known(tenant)) == 4
    return bad


def test_rows_are_as_before_and_counted(tenant: Tenant) -> None:
    bad = bring_bad(tenant)
    bad.unlink()

    load = newest_load(tenant)
    (taken,) = withdraw("one", load)

    (run,) = runs("one", ["withdraw"])
    assert (run.source, run.outcome, run.rows) == ("google_ads", "taken back", 2)
    assert (run.loads_read["google_ads"], run.made["google_ads"]) == (load, newest_load(tenant))
    assert (taken.rows, taken.deleted, taken.restored, taken.changed_since) == (2, 1, 1, 0)
    assert known(tenant) == GOOD
    said, there = accounted(tenant)
    assert said == there == 7
    log = tenant.log("rows_withdrawn, rows_deleted, rows_appended, delivery", table="exports")
    assert log[-1] == (2, 1, 1, "withdrawal")
    assert not tenant.ingest().problem and known(tenant) == GOOD  # nothing comes back by itself


def test_the_same_file_may_be_delivered_again(tenant: Tenant) -> None:
    bad = bring_bad(tenant)
    content = bad.read_bytes()
    bad.unlink()
    withdraw("one", newest_load(tenant))

    tenant.deliver("spend-2.csv", content)

    assert tenant.ingest().counts.appended == 2
    assert ("2026-10-03", "brand", "40000") in known(tenant)
    withdraw_again = newest_load(tenant)
    bad.unlink()
    withdraw("one", withdraw_again)
    assert known(tenant) == GOOD


def test_what_a_later_load_brought_stays(tenant: Tenant) -> None:
    bring_bad(tenant).unlink()
    load = newest_load(tenant)
    tenant.spend("spend-3.csv", "02,brand,31")
    tenant.ingest()

    (taken,) = withdraw("one", load)

    assert (taken.deleted, taken.restored, taken.changed_since) == (1, 0, 1)
    assert known(tenant) == GOOD - {("2026-10-02", "brand", "30")} | {("2026-10-02", "brand", "31")}
    said, there = accounted(tenant)
    assert said == there


def test_what_a_full_export_deleted_is_there_again(house: House) -> None:
    tenant = Tenant(house.home, delivery="full", deletion_limit=1)
    tenant.spend("spend-1.csv", "01,brand,10", "01,spring,20", "02,brand,30")
    tenant.ingest()
    cut = tenant.spend("spend-2.csv", "01,brand,10")
    tenant.ingest()
    assert len(known(tenant)) == 1
    cut.unlink()

    (taken,) = withdraw("one", newest_load(tenant))

    assert taken.restored == 2 and known(tenant) == GOOD
    said, there = accounted(tenant)
    assert said == there
    tenant.spend("spend-3.csv", "01,brand,10", "02,brand,30")
    assert tenant.ingest().counts.deleted == 1


def test_a_file_that_still_lies_there_is_named(tenant: Tenant) -> None:
    bad = bring_bad(tenant)
    load = newest_load(tenant)
    with pytest.raises(WithdrawalError, match=r"exports/one/spend-2\.csv, which still lies there"):
        withdraw("one", load)
    tenant.spend("spend-2.csv", "03,brand,40")  # the right one, in its place
    os.utime(bad, ns=(1, bad.stat().st_mtime_ns + 10**9))

    withdraw("one", load)
    tenant.ingest()

    assert known(tenant) == GOOD | {("2026-10-03", "brand", "40")}


def test_a_load_that_is_none_or_cannot_be_taken_back_is_named(tenant: Tenant) -> None:
    with pytest.raises(WithdrawalError, match=r"one: there is no load 17\.5; the newest are"):
        withdraw("one", "17.5")
    bring_bad(tenant).unlink()
    load = newest_load(tenant)
    withdraw("one", load)
    with pytest.raises(WithdrawalError, match=f"takes the load {load} back itself"):
        withdraw("one", newest_load(tenant))
    with pytest.raises(
        WithdrawalError, match=f"the load {load} of google_ads is taken back already"
    ):
        withdraw("one", load)


def test_what_an_api_answered_is_corrected_there(house: House) -> None:
    tenant = Tenant(house.home)
    load = Load(START, "google_ads", {"spend": [{"campaign_id": "1", "is_deleted": False}]})
    lake_writer.write(house.home, "one", load)
    done = CliRunner().invoke(app, ["withdraw", tenant.name, "--load", load.load_id])
    assert done.exit_code == 1 and "correct it at its source" in done.output, done.output
