"""The zone that a column's name says is the zone of its times; one that may be several is asked for."""

import re
from pathlib import Path

import pytest
import yaml

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.exports import Export
from pipelines.settings.reader import ClientError, parse
from pipelines.sources.files.header_zones import zones
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

NAMED = {
    "Created (UTC)": "+00:00",
    "created_utc": "+00:00",
    "Created (UTC), as entered": "+00:00",
    "At [GMT+1]": "+01:00",
    "At (GMT-05:30)": "-05:30",
    "At (UTC\u22125)": "-05:00",
    "At (+0200)": "+02:00",
    "Created UTC+2": "+02:00",
    "Created (Europe/Berlin)": "Europe/Berlin",
    "Created [america/new york time]": "America/New_York",
    "Closed (GMT-08:00) Pacific Standard Time (America/Los_Angeles)": "America/Los_Angeles",
    "utc_created_at": "+00:00",
    "UTC start time": "+00:00",
    "Time UTC (as stored)": "+00:00",
    "createdAtUtc": "+00:00",
    "createdUTC": "+00:00",
    "utcTime": "+00:00",
    "Sold (Z)": "+00:00",
    "sold_at_z": "+00:00",
    "Sold [Zulu]": "+00:00",
    "Sold (UCT)": "+00:00",
    "Sold (GMT0)": "+00:00",
    "Coordinated Universal Time": "+00:00",
    "Sold (Etc/GMT+5)": "Etc/GMT+5",
    "Closed": None,
    "created_local": None,  # where the client is
    "met_at": None,
    "est_time": None,
    "center_time": None,
    "utcome_at": None,
    "closed_by_utc_offset": None,
    "Date/Time": None,
    "actual_ist": None,
    "Date (est)": None,  # estimated
    "gmt": None,
}


@pytest.mark.parametrize(("column", "zone"), NAMED.items())
def test_a_name_says_a_zone(column: str, zone: str | None) -> None:
    export = Export.model_validate({"files": "x", "columns": {"converted_at": column}})
    assert zones(export, CONTRACTS["web"]["conversions"], "UTC").get("converted_at") == zone


@pytest.fixture
def shop(house: House) -> Tenant:
    """A client in Berlin whose conversions are exported."""
    tenant = Tenant(house.home)
    web = {"conversions": {"files": "exports/one/sold*", "expected_every": "never"}}
    written = {"name": "one", "currency": "EUR", "timezone": "Europe/Berlin"}
    tenant.settings.write_text(yaml.safe_dump(written | {"sources": {"web": web}}))
    return tenant


TIMES = ("2026-07-01 12:00", "2026-12-01T12:00:00", "2026-12-01 12:00:00+05:00")


def deliver(tenant: Tenant, column: str) -> Path:
    """Deliver conversions whose times stand in a column of this name."""
    export = {"columns": {"converted_at": column}}
    House(tenant.home).change("one", sources={"web": {"conversions": export}})
    rows = [f"{number},c,{time},5" for number, time in enumerate(TIMES)]
    head = f"conversion_id,customer_id,{column},revenue"
    return tenant.deliver("sold.csv", "\n".join([head, *rows, ""]))


def times(tenant: Tenant) -> list[str]:
    """Return the times of the conversions that count, in their own order."""
    said = {key: time for key, time in tenant.log("row_key, converted_at", "web", "conversions")}
    return [said[key] for key in sorted(said)]


def test_times_are_read_by_the_clock_of_the_city(shop: Tenant) -> None:
    deliver(shop, "Sold (America/New_York)")
    outcome = shop.ingest("web")
    assert times(shop) == ["2026-07-01 16:00:00+00:00", "2026-12-01 17:00:00+00:00", TIMES[2]]
    assert outcome.status.notes == [
        "conversions: converted_at is read as America/New_York, as its column is called"
        " 'Sold (America/New_York)'; a time with an offset of its own keeps that"
    ]


def test_what_is_said_of_times_is_of_its_load_where_the_source_is_halted(shop: Tenant) -> None:
    path = deliver(shop, "Sold (America/New_York)")
    (said,) = shop.ingest("web").status.notes
    path.write_text(path.read_text() + "x,c,never,5\n")
    for _ in range(2):
        halted = shop.ingest("web")
        assert halted.status.holds
        (note,) = halted.status.notes
        assert re.fullmatch(r"in the load before of 20\d\d-.{11} UTC: " + re.escape(said), note)
    deliver(shop, "Sold (America/New_York)")
    shop.deliver("sold-2.csv", path.read_text())
    assert shop.ingest("web").status.notes == [said]


READINGS = {
    "Sold (PST)": [
        ("converted_at: America/Los_Angeles", ["2026-07-01 19:00:00+00:00", "2026-12-01 20:00:00+00:00"]),
        ("converted_at: UTC-08:00", ["2026-07-01 12:00:00-08:00", "2026-12-01T12:00:00-08:00"]),
        ("converted_at: client", list(TIMES[:2])),
    ],
    "Zeit (MEZ)": [
        ("converted_at: Europe/Berlin", list(TIMES[:2])),  # which is the client's
        ("converted_at: UTC+01:00", ["2026-07-01 12:00:00+01:00", "2026-12-01T12:00:00+01:00"]),
    ],
    "(GMT-05:00) Eastern Time": [
        ("converted_at: America/New_York", ["2026-07-01 16:00:00+00:00", "2026-12-01 17:00:00+00:00"]),
        ("converted_at: GMT-05:00", ["2026-07-01 12:00:00-05:00", "2026-12-01T12:00:00-05:00"]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("column", READINGS)
def test_a_name_that_may_be_several_zones_is_asked_for(shop: Tenant, column: str) -> None:
    deliver(shop, column)
    problem = shop.ingest("web").problem
    asked = shop.settings.read_text()
    called = column.removeprefix("Sold ").removeprefix("Zeit ")
    assert f"converted_at is read from {column}, and {called.strip('()')}"[:45] in problem
    assert "may be several zones. To read it, write in clients/one.yaml" in problem

    for choice, (line, expected) in enumerate(READINGS[column]):
        shop.settings.write_text(asked)
        paste(shop.settings, problem, choice)
        assert line in shop.settings.read_text()
        assert not shop.ingest("web").problem
        assert times(shop) == [*expected, TIMES[2]]  # read again each time


IN_OTHER_WORDS = {
    "EST5EDT": "America/New_York",
    "Sold (PST8PDT)": "America/Los_Angeles",
    "ts_cet_local": "Europe/Berlin",
    "cet_sold_at": "Europe/Berlin",
    "soldCEST": "Europe/Berlin",
    "Paris time": "Europe/Paris",
    "Sold (New York)": "America/New_York",
    "sold_tokyo_time": "Asia/Tokyo",
    "local time berlin": "Europe/Berlin",
    "Sold (Eastern)": "America/New_York",
    "sold_pacific_time": "America/Los_Angeles",
    "W. Europe Standard Time": "Europe/Berlin",
    "Sold GMT Standard Time": "Europe/London",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Japan time": "Asia/Tokyo",
    "Sold (Europe/Berlim)": "Europe/Berlin",
    "Sold (UTC-like)": "client",
    "Sold Somewhere Standard Time": "client",
}


@pytest.mark.parametrize(("column", "zone"), IN_OTHER_WORDS.items())
def test_a_zone_in_other_words_is_asked_for_and_what_may_be_meant_is_named(
    shop: Tenant, column: str, zone: str
) -> None:
    deliver(shop, column)
    problem = shop.ingest("web").problem
    assert f"converted_at is read from {column}, and " in problem
    assert f"`zones: {{converted_at: {zone}}}`" in problem.partition(", or ")[0]
    paste(shop.settings, problem)
    assert not shop.ingest("web").problem


def test_two_columns_are_asked_for_at_once(house: House) -> None:
    tenant = Tenant(house.home)
    mapped = {"closed_at": "Closed (PST)", "opened_at": "Opened (UTC-like)"}
    house.change("one", sources={"salesforce": {"opportunities": {"columns": mapped}}})
    head = "opportunity_id,customer_id,stage,is_won,Closed (PST),Opened (UTC-like),amount"
    tenant.deliver("deals.csv", f"{head}\n1,7,Won,true,2026-07-01 12:00,2026-06-01 12:00,5\n")
    problem = tenant.ingest("salesforce").problem
    assert "zones: {closed_at: America/Los_Angeles, opened_at: client}" in problem


def test_a_zone_that_nobody_knows_is_asked_for(shop: Tenant) -> None:
    deliver(shop, "Sold (Europe/Berln)")
    problem = shop.ingest("web").problem
    assert "Europe/Berln may be several zones" not in problem
    assert "nobody knows the zone Europe/Berln" in problem
    paste(shop.settings, problem)
    assert not shop.ingest("web").problem
    assert times(shop) == list(TIMES)


@pytest.mark.parametrize(
    ("zone", "problem"),
    {
        "Europe/Berlim": "for the client's own. Did you mean Europe/Berlin?",
        "Berlin": "Did you mean Europe/Berlin?",
        "Mars/Base": "'Mars/Base' is no zone; write one like Europe/Berlin or UTC+2, or client for",
        "UTC+25": "'UTC+25' is no zone",
        "PST": "'PST' is no zone",
    }.items(),
)
def test_a_zone_of_the_clients_file_exists(shop: Tenant, zone: str, problem: str) -> None:
    deliver(shop, "Sold")
    House(shop.home).change(
        "one", sources={"web": {"conversions": {"zones": {"converted_at": zone}}}}
    )
    with pytest.raises(ClientError, match=r"zones\.converted_at") as error:
        parse(shop.settings)
    assert problem in str(error.value)


def test_the_clients_own_zone_has_a_near_name(shop: Tenant) -> None:
    House(shop.home).change("one", timezone="Europe/Berlim")
    with pytest.raises(ClientError, match=r"no IANA time zone.* Did you mean Europe/Berlin"):
        parse(shop.settings)


def test_zones_are_of_columns_of_times(shop: Tenant) -> None:
    deliver(shop, "Sold")
    House(shop.home).change("one", sources={"web": {"conversions": {"zones": {"revenue": "UTC"}}}})
    with pytest.raises(
        ClientError, match="'revenue' is no column of times; use one of converted_at"
    ):
        parse(shop.settings)
