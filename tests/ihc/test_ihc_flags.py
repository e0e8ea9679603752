"""Whether a session may hold or close travels from the export to the path; unsaid, it may."""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import render

SESSION = dict.fromkeys(CONTRACTS["web"]["sessions"].columns) | {
    "visitor_id": "visitor",
    "customer_id": "customer",
    "source": "google",
    "medium": "cpc",
    "is_deleted": False,
}
DEAL = {
    "opportunity_id": "deal",
    "customer_id": "customer",
    "is_won": "true",
    "closed_at": "2026-09-01 12:00:00",
    "amount": "10",
    "is_deleted": False,
}
SAID = {"yes": "1", "no": "0", "true": "true", "false": "false", "unsaid": None}


def session(name: str, hour: int, **flags: str | None) -> dict:
    """Return a session of the export."""
    return SESSION | {"session_id": name, "started_at": f"2026-09-01 {hour:02}:00:00"} | flags


def test_flags_travel_from_the_export_to_the_path(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients/one.yaml").write_text(settings("one"))
    House(tmp_path).enter()
    models = render("one")["one"]
    warehouse: duckdb.DuckDBPyConnection = models.empty()
    rows = [
        session(name, hour, holder_engagement=said, closer_engagement=SAID["no"])
        for hour, (name, said) in enumerate(SAID.items())
    ]
    models.load(warehouse, Load(START, "web", {"sessions": rows}))
    models.load(warehouse, Load(START, "salesforce", {"opportunities": [DEAL]}))
    models.run(warehouse, START, START + timedelta(days=1))

    found = warehouse.execute(
        "SELECT touchpoint_id, holder_engagement, closer_engagement FROM one_journeys.paths"
        " ORDER BY position"
    ).fetchall()

    assert found == [
        ("yes", True, False),
        ("no", False, False),
        ("true", True, False),
        ("false", False, False),
        ("unsaid", True, False),
    ]
    models.load(warehouse, Load(datetime(2026, 9, 2), "web", {"sessions": [session("no", 1)]}))
    models.run(warehouse, START + timedelta(days=1), START + timedelta(days=2))
    newest = warehouse.execute(
        "SELECT holder_engagement, closer_engagement FROM one_journeys.paths"
        " WHERE touchpoint_id = 'no' ORDER BY revised_at DESC"
    ).fetchall()
    assert newest == [(True, True), (False, False)]
