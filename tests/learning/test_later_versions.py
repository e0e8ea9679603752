"""A client that is rolled back reads what its models had learnt then, and learns nothing by itself."""

from datetime import datetime, timezone
from pathlib import Path

import duckdb
import pytest

from pipelines.learning.later_versions import bring_back_later, set_aside_later
from pipelines.learning.versions import keep, read_versions, versions

MARCH = datetime(2026, 3, 1, 6)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home in which one model was trained in March and in May, and another in May alone."""
    monkeypatch.setenv("ATTRIBUTION_HOME", str(tmp_path))
    for model, month in (("markov", 3), ("markov", 5), ("shapley", 5)):
        query = f"SELECT 'Email' AS channel, {month} AS value"
        keep(duckdb, query, str(tmp_path), "acme", model, MARCH.replace(month=month))
    return str(tmp_path)


def values(home: str) -> list[tuple]:
    """Return what credit of June is given by."""
    rows = read_versions(home, "acme", "markov")
    june = "TIMESTAMP '2026-06-01' >= valid_from AND TIMESTAMP '2026-06-01' < valid_until"
    return duckdb.sql(f"SELECT value FROM {rows} AS rows WHERE {june}").fetchall()


def test_what_was_learnt_after_a_time_is_set_aside_and_brought_back(home: str) -> None:
    april = datetime(2026, 4, 1, tzinfo=timezone.utc)
    assert values(home) == [(5,)]

    for _ in range(2):  # as by a command that was ended, and the next
        set_aside_later("acme", april)
        assert values(home) == [(3,)]
        assert len(versions(home, "acme", "shapley")) == 1  # nothing read it then, nothing does now

    for _ in range(2):
        bring_back_later("acme")
        assert values(home) == [(5,)]
