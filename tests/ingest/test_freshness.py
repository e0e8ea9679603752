"""Old data is told: by its newest day, as a file that comes is no sign of newer data."""

import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
import time_machine
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ingest.run import Outcome
from pipelines.ingest.source_status import statuses
from pipelines.settings.reader import ClientError, parse
from tests.builders.tenant import Tenant
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
timezone: America/New_York
sources:
  web:
    sessions: {files: exports/one/sessions*}
    conversions: {files: exports/one/orders*}
    clients: {files: exports/one/people*}
  google_ads:
    spend: {files: exports/one/spend*}
  salesforce:
    opportunities: {files: exports/one/deals*, delivery: full}
"""
ZONE = ZoneInfo("America/New_York")


@pytest.fixture
def one(house: House) -> Tenant:
    tenant = Tenant(house.home)
    tenant.settings.write_text(SETTINGS)
    return tenant


def visits(tenant: Tenant, *moments: str) -> None:
    lines = [f"{number},v,,{moment},,,,," for number, moment in enumerate(moments)]
    head = "session_id,visitor_id,customer_id,started_at,source,medium,campaign,referrer,channel"
    tenant.deliver("sessions.csv", "\n".join([head, *lines, ""]))


def deliver(tenant: Tenant) -> None:
    """Deliver what is known on 4 October: sessions, orders, customers, spend and deals."""
    visits(tenant, "2026-10-03 08:00:00", "2026-10-04T03:30:00Z")  # the evening of the 3rd there
    tenant.deliver(
        "orders.csv", "conversion_id,customer_id,converted_at,revenue\n1,7,2026-09-30 10:00:00,5\n"
    )
    tenant.deliver(
        "people.csv", "client_id,registration_date,cohort,customer_segment\n7,2026-01-05,,\n"
    )
    tenant.spend("spend.csv", "02,b,1", "03,b,1")
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,opened_at"
    rows = ["1,7,Won,true,2026-09-29 12:00:00,9.50,", "2,7,Open,false,2027-03-01 12:00:00,5,"]
    tenant.deliver("deals.csv", "\n".join([head, *rows, ""]))


def at(day: int, hour: int = 6) -> time_machine.travel:
    """Return the clock of a morning in New York, in October."""
    return time_machine.travel(datetime(2026, 10, day, hour, tzinfo=ZONE), tick=False)


def brought(tenant: Tenant) -> dict[str, Outcome]:
    return {source: tenant.ingest(source) for source in ("web", "google_ads", "salesforce")}


def touch(file: Path, day: int) -> None:
    """Write a file again, as it was: only its time is another."""
    moment = datetime(2026, 10, day, 5, tzinfo=ZONE).timestamp()
    os.utime(file, (moment, moment))


def test_the_newest_day_of_data_is_kept_by_source(one: Tenant) -> None:
    with at(4):
        deliver(one)
        done = brought(one)
    assert {source: each.status.newest for source, each in done.items()} == {
        "web": {"sessions": "2026-10-03", "conversions": "2026-09-30"},
        "google_ads": {"spend": "2026-10-03"},
        "salesforce": {"opportunities": "2026-09-29"},  # the closing planned for 2027 is no data
    }
    assert {each.status.code for each in done.values()} == {"ok"}


def test_a_deal_that_is_dated_anew_is_no_longer_of_the_day_before(one: Tenant) -> None:
    """What a home went through does not count: another that hears of it now knows of no such day."""
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,opened_at"

    def newest(*deals: str) -> dict[str, str]:
        one.deliver("deals.csv", "\n".join([head, *deals, ""]))
        return one.ingest("salesforce").status.newest

    first, second = "1,7,Won,true,2026-09-10 12:00:00,9.50,", "2,7,Won,true,{},5,"
    with at(4, hour=12):
        assert newest(first, second.format("2026-10-04 11:59:59")) == {
            "opportunities": "2026-10-04"  # closed a second ago, and its load is dated back
        }
    with at(5):
        dated_anew = second.format("2026-09-20 12:00:00")
        assert newest(first, dated_anew) == {"opportunities": "2026-09-20"}
    with at(6):
        assert newest(first) == {"opportunities": "2026-09-10"}  # the other was deleted


@pytest.mark.parametrize("day, code", [(5, "ok"), (6, "stale")])
def test_data_is_stale_after_a_day_and_a_days_grace(one: Tenant, day: int, code: str) -> None:
    with at(4):
        deliver(one)
        for file in one.exports.iterdir():
            touch(file, 4)
        brought(one)
    with at(day):
        done = brought(one)["google_ads"].status
    assert done.code == code
    assert done.days_missing == [f"2026-10-0{each}" for each in range(4, day)]
    if code == "stale":
        assert "spend: newest day of data 2026-10-03, stale since 2026-10-06" in done.problem


def test_a_deal_less_weekend_is_not_old_and_an_export_that_stopped_is(one: Tenant) -> None:
    with at(4):
        deliver(one)
        for file in one.exports.iterdir():
            touch(file, 4)
        brought(one)
    touch(one.exports / "deals.csv", 9)  # the same deals, delivered again
    touch(one.exports / "spend.csv", 9)  # the same spend: every day should have some
    with at(9):
        done = brought(one)
    assert {source: each.status.code for source, each in done.items()} == {
        "web": "stale",
        "google_ads": "stale",
        "salesforce": "ok",
    }
    assert "conversions: newest day of data 2026-09-30" in done["web"].problem
    assert "clients: newest" not in done["web"].problem
    with at(13):
        assert one.ingest("salesforce").status.code == "stale"


def test_a_clock_ahead_does_not_make_a_dead_source_look_fresh(one: Tenant) -> None:
    with at(4):
        deliver(one)
        visits(one, "2026-10-03 08:00:00", "2026-10-20 08:00:00")
        one.ingest("web")
    with at(19):
        status = one.ingest("web").status
    assert (status.newest["sessions"], status.code) == ("2026-10-03", "stale")


def test_the_clock_alone_makes_a_status_stale(one: Tenant) -> None:
    with at(4):
        deliver(one)
        brought(one)
    client = parse(one.settings)
    with at(4, hour=7):
        assert {status.code for status in statuses(client)} == {"ok"}
        shown = CliRunner().invoke(app, ["status"])
        assert shown.exit_code == 0, shown.output
    with at(9):
        assert [each.source for each in statuses(client) if each.code == "stale"] == [
            "web",
            "salesforce",
            "google_ads",
        ]
        shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 1
    assert "stale since 2026-10-06" in shown.output and "2026-10-03" in shown.output


@pytest.mark.parametrize(
    "every, stale_from", [("1 day", "2026-10-06"), ("7 days", "2026-10-12"), ("never", None)]
)
def test_a_client_says_how_often_data_is_expected(
    one: Tenant, every: str, stale_from: str | None
) -> None:
    spend = "{files: exports/one/spend*"
    text = one.settings.read_text()
    one.settings.write_text(text.replace(spend, f"{spend}, expected_every: {every}"))
    with at(4):
        deliver(one)
        assert one.ingest().status.stale_from.get("spend") == stale_from


@pytest.mark.parametrize(
    "every", ["7", "a week", "0 days", "'1 day or two'", "-1 days", "null day"]
)
def test_what_is_no_number_of_days_is_refused(one: Tenant, every: str) -> None:
    spend = "{files: exports/one/spend*"
    text = one.settings.read_text()
    one.settings.write_text(text.replace(spend, f"{spend}, expected_every: {every}"))
    said = "google_ads.spend.expected_every: write a number of days like 1 day or 7 days, or never"
    with pytest.raises(ClientError, match=said):
        parse(one.settings)


def test_days_that_a_load_did_not_count_are_those_of_its_rows(one: Tenant) -> None:
    """A lake of an older version has no newest days: they are found in its rows, and old data is told."""
    with at(9):
        deliver(one)
        expected = {source: outcome.status.newest for source, outcome in brought(one).items()}
    for file in (one.home / "lake/one").rglob("exports/*.parquet"):
        duckdb.sql(f"FROM '{file}'").select("* EXCLUDE (newest_day, unusual)").to_parquet(str(file))
    with at(9, hour=7):
        status = one.ingest().status
        found = {source: outcome.status.newest for source, outcome in brought(one).items()}
    assert (status.newest, status.code) == ({"spend": "2026-10-03"}, "stale")
    assert found == expected
    with time_machine.travel(datetime(2027, 4, 1, tzinfo=ZONE), tick=False):
        assert (
            one.ingest("salesforce").status.newest == expected["salesforce"]
        )  # planned, as it came
    one.spend("spend-2.csv", "08,b,1")
    with at(9, hour=8):
        assert one.ingest().status.newest == {"spend": "2026-10-08"}


def test_a_day_has_its_length_where_clocks_change(one: Tenant) -> None:
    with at(4):
        deliver(one)
        one.ingest()
    with time_machine.travel(datetime(2026, 11, 2, 0, 30, tzinfo=ZONE), tick=False):
        status = one.ingest().status
    assert (len(status.days_missing), status.days_missing[-1]) == (29, "2026-11-01")
