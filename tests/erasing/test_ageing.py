"""Whose newest event is older than the client allows stands for nobody; others stay as they are."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import time_machine

from pipelines.erasing.ageing import is_due
from pipelines.erasing.erasure import age
from pipelines.ingest.run import ingest_source
from pipelines.learning.training import utc_now
from tests.builders.searching import traces
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
retention_days: 400
quality: {quarantine_limit: 0.9, deletion_limit: 1}
sources:
  web:
    sessions: {files: exports/one/sessions*, delivery: full, expected_every: never}
    conversions: {files: exports/one/orders*, delivery: full, expected_every: never}
"""
HEAD = "session_id,visitor_id,customer_id,started_at,source,medium,campaign"
OLD, YEARS = "2024-03-01 10:00:00", timedelta(days=500)


@pytest.fixture
def exports(house: House) -> Iterator[Path]:
    """The exports of a client, loaded, at noon: Ann was last seen years ago, Bob then and today."""
    noon = datetime.now(timezone.utc).replace(hour=12, minute=0)
    with time_machine.travel(noon, tick=True):
        yield _loaded(house)


def _loaded(house: House) -> Path:
    (house.home / "clients/one.yaml").write_text(SETTINGS.replace("400", "9000"))
    exports = house.home / "exports/one"
    exports.mkdir(parents=True)
    today = f"{utc_now():%Y-%m-%d %H:%M:%S}"
    edge = f"{utc_now() - timedelta(days=400):%Y-%m-%d 01:00:00}"
    rows = [
        f"session-001,visitor-ann-1,customer-ann,{OLD},google,cpc,spring",
        f"session-002,visitor-ann-1,,{OLD},google,cpc,spring",
        f"session-003,visitor-bob-1,customer-bob,{OLD},google,cpc,spring",
        f"session-004,visitor-bob-1,customer-bob,{today},google,cpc,spring",
        "session-005,visitor-cem-1,customer-cem,never,google,cpc,spring",
        f"session-007,visitor-eve-1,,{edge},google,cpc,spring",
    ]
    (exports / "sessions-1.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    orders = [f"order-001,customer-ann,{OLD},10", f"order-002,customer-bob,{today},20"]
    text = "\n".join(["conversion_id,customer_id,converted_at,revenue", *orders]) + "\n"
    (exports / "orders-1.csv").write_text(text)
    assert ingest_source(house.client("one"), "web").status.code == "ok"
    (house.home / "clients/one.yaml").write_text(SETTINGS)
    return exports


def test_the_old_stand_for_nobody_and_do_not_come_back(house: House, exports: Path) -> None:
    client, ann = house.client("one"), ["visitor-ann-1", "customer-ann", "session-001", "order-001"]
    assert traces(house.home, ann) and is_due(client, utc_now())

    age(client, utc_now())

    assert not is_due(client, utc_now()) and is_due(client, utc_now() + timedelta(days=7))
    assert traces(house.home, ann) == []
    stays = ["session-003", "visitor-bob-1", "order-002", "customer-cem", "visitor-eve-1"]
    assert {form for _, form in traces(house.home, stays)} >= {*stays}

    more = (exports / "sessions-1.csv").read_text()
    (exports / "sessions-2.csv").write_text(f"{more}session-006,visitor-dan-1,,{OLD},google,cpc,\n")
    done = ingest_source(client, "web", is_asked=True)
    assert "3 rows are older than retention_days, and not taken" in str(done.status.notes)
    assert traces(house.home, [*ann, "visitor-dan-1"]) == []

    age(client, utc_now() + YEARS)  # what was quarantined is as old by then, and Bob

    assert traces(house.home, [*ann, *stays]) == []
