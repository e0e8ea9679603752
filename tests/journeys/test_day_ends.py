"""A day without an hour ends with its last second, where the client is, however the day is written."""

import duckdb
import pytest
from sqlglot import exp

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
