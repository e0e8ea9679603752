"""A day without an hour ends with its last second, where the client is, however the day is written."""

import duckdb
import pytest
from sqlglot import exp, parse_one

from macros.local_date import local_date
from macros.utc_by import utc_by


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
