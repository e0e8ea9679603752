"""A day without an hour ends with its last second, where the client is, however the day is written."""

from datetime import timedelta
from itertools import count
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp, parse_one

from macros.local_date import local_date
from macros.utc_by import utc_by
from tests.builders.histories import deal, replay, session
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import render


@pytest.mark.parametrize(
    ("written", "moment"),
    {
        "2026-11-01": "2026-11-01 22:59:59",
        "2026-11-1": "2026-11-01 22:59:59",
        "2026/11/01": "2026-11-01 22:59:59",
        "2026-10-25": "2026-10-25 22:59:59",  # of 25 hours
        "2026-11-01 00:00:00": "2026-10-31 23:00:00",
        "2026-11-01T12:00:00+05:30": "2026-11-01 06:30:00",
    }.items(),
)
def test_a_day_without_an_hour_is_its_last_second(written: str, moment: str) -> None:
    utc = utc_by(None, exp.column("written"), exp.Literal.string("Europe/Berlin"))
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT ({utc})::TEXT FROM (SELECT ? AS written)", [written])
        assert found.fetchall() == [(moment,)]


# Clocks go forward over midnight in Nuuk, from midnight in São Paulo, back to midnight in Havana, back over it
# in St. John's, and by half an hour on Lord Howe.
@pytest.mark.parametrize(
    "zone",
    ["America/Nuuk", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Australia/Lord_Howe",
     "Africa/Casablanca", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Apia"],
)  # fmt: skip
def test_every_day_of_a_zone_ends_a_second_before_the_next_one(zone: str) -> None:
    utc = utc_by(None, exp.column("written"), exp.Literal.string(zone))
    ended, after = (
        local_date(None, parse_one(moment), exp.Literal.string(zone))
        for moment in ("ends_at", "ends_at + INTERVAL 1 SECOND")
    )
    days = "RANGE(DATE '2000-01-01', DATE '2038-01-01', INTERVAL 1 DAY) AS days(day)"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"""SELECT written FROM (SELECT written, {utc} AS ends_at FROM (
              SELECT day::DATE::TEXT AS written FROM {days}
            )) WHERE {ended} <> written::DATE OR {after} <= written::DATE"""
        ).fetchall()
    assert found == ([("2011-12-30",)] if zone == "Pacific/Apia" else [])  # a day it never had


def test_windows_are_exact_hours_and_days_end_over_a_change_of_clocks(tmp_path: Path) -> None:
    """In Berlin, three days of 24 hours before a deal begin an hour off where clocks were changed."""
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients/one.yaml").write_text(
        settings("one", timezone="Europe/Berlin", direct_touches="include")
    )
    House(tmp_path).enter()
    deals = {
        "spring": ("2026-03-30 12:00:00", ["2026-03-27 10:59:59"], ["2026-03-27 11:00:00"]),
        "autumn": ("2025-10-27 12:00:00", ["2025-10-24 12:59:59"], ["2025-10-24 13:00:00"]),
        "short": ("2026-03-29", ["2026-03-30 00:00:00"], ["2026-03-29 23:59:59"]),
        "long": ("2025-10-26", ["2025-10-27 00:00:00"], ["2025-10-26 23:59:59"]),
        "never": ("2026-03-29 02:30:00", ["2026-03-29 03:30:01"], ["2026-03-29 03:30:00"]),
        "twice": ("2025-10-26 02:30:00", ["2025-10-26T01:30:01Z"], ["2025-10-26 02:29:59"]),
    }
    numbers, sessions, sold, expected = count(), [], [], {}
    for customer, (closed_at, outside, inside) in deals.items():
        number = next(numbers)
        sold.append(deal(number, customer, closed_at))
        for at in outside + inside:
            each = session(next(numbers), at, customer_id=customer)
            sessions.append(each)
            if at in inside:
                expected[f"deal-{number}"] = each["session_id"]
    history = [
        Load(START, "web", {"sessions": sessions}),
        Load(START + timedelta(hours=1), "salesforce", {"opportunities": sold}),
    ]

    ((warehouse, _),) = replay(render("one")["one"], history, [START + timedelta(days=1)])

    found = warehouse.execute(
        "SELECT conversion_id, touchpoint_id FROM one_journeys.current_paths"
    ).fetchall()
    assert sorted(found) == sorted(expected.items())
