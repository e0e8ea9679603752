"""Times that a zone has twice or never are read by one rule, counted and told."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlglot import exp

from macros.utc import utc
from pipelines.ingest.clock_changes import clock_changes
from pipelines.ingest.source_status import statuses
from pipelines.settings.reader import parse
from tests.builders.tenant import Tenant
from tests.conftest import House

ZONES = [
    "Africa/Casablanca",  # goes back for Ramadan
    "America/New_York",
    "America/Nuuk",  # forward from 23:00 to midnight, since 2024
    "America/Sao_Paulo",  # forward at midnight, until 2018
    "Asia/Kathmandu",  # never changes
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",  # left out a day
    "Pacific/Chatham",  # is a quarter of an hour off
]
HEAD = "opportunity_id,customer_id,stage,is_won,opened_at,closed_at,amount"


@pytest.fixture
def tenant(house: House) -> Tenant:
    return Tenant(house.home)


def deals(tenant: Tenant, zone: str, *times: str, file: str = "deals.csv") -> list[str]:
    """Deliver a deal closed at each time, load them, and return what looks wrong then."""
    text = tenant.settings.read_text().partition("timezone:")[0]
    tenant.settings.write_text(f"{text}timezone: {zone}\n")
    rows = [f"{file}-{number},7,Won,true,,{time},10" for number, time in enumerate(times)]
    tenant.deliver(file, "\n".join([HEAD, *rows, ""]))
    outcome = tenant.ingest("salesforce")
    assert not outcome.status.holds
    return outcome.status.warnings


def test_every_change_of_ten_zones_is_read_by_the_rule() -> None:
    """Python reads them alike: the later of two is `fold=1`, and one that never comes is `fold=0`."""
    told = [
        (zone, begins + (ends - begins) * part / 4, is_twice)
        for zone in ZONES
        for begins, ends, is_twice in clock_changes(zone)
        if 2000 <= begins.year <= 2037
        for part in range(4)
    ]
    assert len(told) > 4 * 400
    expected = [
        local.replace(tzinfo=ZoneInfo(zone), fold=is_twice).astimezone(ZoneInfo("UTC"))
        for zone, local, is_twice in told
    ]

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE told (number INT, zone TEXT, local TEXT)")
        rows = [(number, zone, str(local)) for number, (zone, local, _) in enumerate(told)]
        connection.executemany("INSERT INTO told VALUES (?, ?, ?)", rows)
        moment = utc(None, exp.column("local"), exp.column("zone"))
        found = connection.execute(f"SELECT {moment} FROM told ORDER BY number").fetchall()

    assert [each for (each,) in found] == [each.replace(tzinfo=None) for each in expected]


@pytest.mark.parametrize("zone", ZONES)
def test_no_other_time_comes_twice_or_never(zone: str) -> None:
    """By Python, on every quarter of an hour of some years with odd changes."""
    here, minutes = ZoneInfo(zone), timedelta(minutes=15)
    changes = clock_changes(zone)
    for year in (2011, 2018, 2024, 2026):
        local = datetime(year, 1, 1)
        odd = set()
        while local.year == year:
            one, other = (local.replace(tzinfo=here, fold=fold).utcoffset() for fold in (0, 1))
            odd |= {local} if one != other else set()
            local += minutes
        counted = {
            begins + minutes * step
            for begins, ends, _ in changes
            for step in range(int((ends - begins) / minutes))
            if (begins + minutes * step).year == year
        }
        assert odd == counted


@pytest.mark.parametrize(
    ("zone", "times", "said"),
    [
        (
            "Europe/Berlin",
            ["2026-10-25 02:00:00", "2026/10/25 02:30", "2026-10-25T02:59:59.9", "2026-10-25 03:00:00",
             "2026-10-25 01:59:59"],
            "3 rows have a closed_at that Europe/Berlin has twice (2026-10-25 02:00 to 03:00): read as the later one",
        ),
        (
            "Europe/Berlin",
            ["2026-03-29 02:30:00", "2026-03-29 03:00:00"],
            "1 row has a closed_at that Europe/Berlin does not have (2026-03-29 02:00 to 03:00): read by the clock"
            " from before the change",
        ),
        (
            "Europe/Berlin",
            ["2026-10-25 02:30:00", "2025-10-26 02:30:00", "2024-10-27 02:30:00"],
            "3 rows have a closed_at that Europe/Berlin has twice (2026-10-25 02:00 to 03:00 and 2 nights before)",
        ),
        (
            "Australia/Lord_Howe",
            ["2026-04-05 01:29:59", "2026-04-05 01:30:00", "2026-04-05 02:00:00"],
            "1 row has a closed_at that Australia/Lord_Howe has twice (2026-04-05 01:30 to 02:00)",
        ),
        (
            "America/Sao_Paulo",
            ["2018-11-04 00:00:00", "2018-11-04 01:00:00", "2018-11-04"],
            "1 row has a closed_at that America/Sao_Paulo does not have (2018-11-04 00:00 to 01:00)",
        ),
        (
            "America/Sao_Paulo",
            ["2018-02-17 23:30:00", "2018-02-17", "2018-02-18 00:00:00"],
            "1 row has a closed_at that America/Sao_Paulo has twice (2018-02-17 23:00 to 2018-02-18 00:00)",
        ),
        (
            "Pacific/Apia",
            ["2011-12-30", "2011-12-30 12:00:00", "2011-12-31", "2011-12-29"],
            "2 rows have a closed_at that Pacific/Apia does not have (2011-12-30 00:00 to 2011-12-31 00:00)",
        ),
        (
            "Africa/Casablanca",
            ["2026-02-15 02:30:00"],
            "1 row has a closed_at that Africa/Casablanca has twice (2026-02-15 02:00 to 03:00)",
        ),
    ],
)  # fmt: skip
def test_rows_are_counted_by_file_and_told(
    tenant: Tenant, zone: str, times: list[str], said: str
) -> None:
    (warning,) = deals(tenant, zone, *times)

    assert warning.startswith(f"exports/one/deals.csv: {said}")
    assert warning.endswith("; export times in UTC or with an offset to have them exact")
    assert [each.warnings for each in statuses(parse(tenant.settings))] == [[warning]]


@pytest.mark.parametrize(
    ("zone", "times"),
    [
        ("Europe/Berlin", ["2026-10-25T02:30:00Z", "2026-10-25 02:30:00 +0200", "2026-10-25"]),
        ("UTC", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"]),
        ("Asia/Kathmandu", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"]),
        ("America/New_York", ["2026-10-25 02:30:00", "2026-03-29 02:30:00"]),
    ],
)
def test_what_is_beyond_doubt_is_not_told(tenant: Tenant, zone: str, times: list[str]) -> None:
    assert deals(tenant, zone, *times) == []


def test_a_time_is_told_until_it_is_delivered_exactly(tenant: Tenant) -> None:
    (warning,) = deals(tenant, "Europe/Berlin", "2026-10-25 02:30:00")
    assert deals(tenant, "Europe/Berlin", "2026-10-26 02:30:00", file="deals-2.csv") == [warning]
    assert deals(tenant, "Europe/Berlin", "2026-10-25T00:30:00Z") == []


@pytest.mark.parametrize("where", [False, True])
def test_times_of_another_zone_are_counted_by_its_clock(tenant: Tenant, where: bool) -> None:
    """Zones that the client's file sets, or the name of a column: each time by its own zone."""
    export: dict = {"zones": {"closed_at": "America/New_York"}}
    export["columns"] = {"opened_at": "opened_at (Europe/Berlin)"}
    House(tenant.home).change(
        "one",
        sources={
            "salesforce": {"opportunities": export | ({"where": "amount > 0"} if where else {})}
        },
    )
    head = "opportunity_id,customer_id,stage,is_won,opened_at (Europe/Berlin),closed_at,amount"
    rows = [
        "1,c,Won,true,2026-10-25 02:30,2026-11-01 01:30:00,5",  # twice here and there
        "2,c,Won,true,2026-10-25 02:30:00+01:00,2026-11-01 05:30:00Z,5",  # in no doubt
        "3,c,Won,true,2026-10-24 02:30,2026-03-08 02:30:00,5",  # never, in New York
        "4,c,Won,true,2026-03-08 02:30,2026-10-25 02:30:00,5",  # there, not here
    ]
    tenant.deliver("deals.csv", "\n".join([head, *rows, ""]))
    outcome = tenant.ingest("salesforce")
    assert outcome.problem == ""
    (warning,) = outcome.status.warnings
    said = [
        "1 row has a opened_at that Europe/Berlin has twice (2026-10-25 02:00 to 03:00): ",
        "1 row has a closed_at that America/New_York has twice (2026-11-01 01:00 to 02:00): ",
        "1 row has a closed_at that America/New_York does not have (2026-03-08 02:00 to 03:00): ",
    ]
    assert all(each in warning for each in said) and warning.count(" row has ") == len(said)
    moments = tenant.log("opened_at, closed_at", "salesforce", "opportunities")
    assert moments[0] == ("2026-10-25 01:30:00+00:00", "2026-11-01 06:30:00+00:00")


def test_days_of_spend_are_beyond_doubt(tenant: Tenant) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(f"{text}timezone: Pacific/Apia\n")
    tenant.deliver("spend.csv", "spend_date,campaign_id,campaign,cost,clicks,impressions\n"
                   "2011-12-30,7,Shoes,1,1,1\n2011-12-31 00:00:00,7,Shoes,1,1,1\n")  # fmt: skip
    assert tenant.ingest().status.warnings == []
