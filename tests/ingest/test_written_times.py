"""Days and times as exports write them: what can be read in one way is, what cannot is asked about."""

import pytest

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "opportunity_id,customer_id,stage,is_won,opened_at,closed_at,amount"

# By how a time is written, what is kept of it; without an offset it is one of the client's zone.
READ = {
    "2026-11-01T10:00Z": "2026-11-01 10:00:00Z",
    "2026-11-01T11:00+01:00": "2026-11-01 11:00:00+01:00",
    "2026-11-01 11:00:00 -0500": "2026-11-01 11:00:00-0500",
    "2026-11-01 11:00 AM": "2026-11-01 11:00:00",
    "2026-11-01 12:05:09 a.m.": "2026-11-01 00:05:09",
    "2026-11-01T11:00:00,5": "2026-11-01 11:00:00.5",
    "2026-11-01 12:05 PM": "2026-11-01 12:05:00",
    "2026-11-01, 11:00": "2026-11-01 11:00:00",
    "2026-11-01 11.00.00": "2026-11-01 11:00:00",
    "2026-11-01T11:00:00[Europe/Berlin]": "2026-11-01 10:00:00Z",
    "2026-11-01T11:00:00+01:00[Europe/Berlin]": "2026-11-01T11:00:00+01:00",
    "1.11.2026 11:00": "2026-11-01 11:00:00",
    "01.11.26": "2026-11-01",
    "1. März 2026": "2026-03-01",
    "1 Okt. 2026 um 11:00 Uhr": "2026-10-01 11:00:00",
    "Nov 1, 2026 11:00 AM": "2026-11-01 11:00:00",
    "November 1st, 2026 at 11:00 PM": "2026-11-01 23:00:00",
    "2026-11-01 10:00:00 utc": "2026-11-01 10:00:00Z",
    "2026-11-01 10:00:00 GMT": "2026-11-01 10:00:00Z",
    "Sun, 01 Nov 2026 10:00:00 GMT": "2026-11-01 10:00:00Z",
    "01-Nov-26": "2026-11-01",
    "20261101": "2026-11-01",
    "20261101T100000Z": "2026-11-01 10:00:00Z",
    "20261101110000": "2026-11-01 11:00:00",
    "1793527200": "2026-11-01 10:00:00Z",
    "1793527200000": "2026-11-01 10:00:00Z",
    "1793527200000.0": "2026-11-01 10:00:00Z",
    "1793527200000000": "2026-11-01 10:00:00Z",
    "2026/11/1": "2026/11/1",
}

NOT_READ = [
    "31.02.2026",
    "2026-13-01 11:00",
    "2026-11-01 13:00 PM",
    "2026-11-01 11:00:00 CET",
    "2026110110",  # an hour of a day, or seconds of 2034
    "12:30",
    "46327.5",
    "Nov 2026",
]


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home, limit=1)


def deals(tenant: Tenant, *moments: str) -> str:
    """Deliver a deal for each time at which one was opened; return what is wrong."""
    rows = [f'd{n:02},a,Open,false,"{moment}",,1' for n, moment in enumerate(moments)]
    tenant.deliver("deals.csv", "\n".join([HEAD, *rows, ""]))
    return tenant.ingest("salesforce").problem


def opened(tenant: Tenant) -> list[str]:
    """Return when each deal was opened."""
    return [time for (time,) in tenant.log("opened_at", "salesforce", "opportunities")]


def test_a_time_that_can_be_read_in_one_way_is_read(tenant: Tenant) -> None:
    assert deals(tenant, *READ) == ""
    assert dict(zip(READ, opened(tenant))) == READ


def test_a_time_that_cannot_be_read_goes_to_quarantine(tenant: Tenant) -> None:
    deals(tenant, *NOT_READ, "2026-11-01")
    assert opened(tenant) == ["2026-11-01"]
    reasons = [reason for _, _, reason, _ in tenant.quarantine("salesforce")]
    assert len(reasons) == len(NOT_READ)
    assert all("is no timestamp" in reason for reason in reasons)


@pytest.mark.parametrize(
    "written, choice, read",
    {
        "the day first": (
            ["31/10/2026 11:00 PM", "1/11/2026"],
            0,
            ["2026-10-31 23:00:00", "2026-11-01"],
        ),
        "the month first": (
            ["10/31/26, 9:00", "11/1/26"],
            0,
            ["2026-10-31 09:00:00", "2026-11-01"],
        ),
        "either, the day": (["1/11/2026", "2/11/2026"], 0, ["2026-11-01", "2026-11-02"]),
        "either, the month": (["11/1/2026", "11/2/2026"], 1, ["2026-11-01", "2026-11-02"]),
        "by Excel": (["46326.9583333333", "46327"], 0, ["2026-10-31 23:00:00", "2026-11-01"]),
    }.values(),
)
def test_a_day_that_can_be_read_in_two_ways_is_asked_about(
    house: House, written: list[str], choice: int, read: list[str]
) -> None:
    tenant = Tenant(house.home, limit=0)
    problem = deals(tenant, *written)
    assert "is no timestamp" in problem and "limit" not in problem
    assert opened(tenant) == []
    paste(tenant.settings, problem, choice)
    assert tenant.ingest("salesforce").problem == ""
    assert opened(tenant) == read


def test_a_day_stays_one_key_however_it_is_written(tenant: Tenant) -> None:
    for written in ("2026-10-05", "5.10.2026", "20261005", "Oct 5, 2026"):
        head = "spend_date,campaign_id,campaign,cost,clicks,impressions"
        tenant.deliver("spend.csv", f'{head}\n"{written}",one,Brand,1,1,1\n')
        assert tenant.ingest().problem == ""
    assert tenant.newest("spend_date, cost") == {("2026-10-05", "1")}
    assert len(tenant.log("cost")) == 1
