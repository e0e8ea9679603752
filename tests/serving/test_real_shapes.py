"""Exports as people have them, taken through one morning: what is read is published to the cent."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.builders.pasting import paste
from tests.conftest import House

SESSIONS = """session_id,visitor_id,customer_id,started_at,source,medium,campaign
a,va,kim,2026-10-01T09:00:00Z,google,cpc,Autumn
b,vb,lee,2026-10-02T09:00:00Z,newsletter,email,Weekly
"""
ORDERS = """No,Buyer,Booked (UTC),Gross,{column}
1,kim,2026-10-03 23:30:00,"{first}",{good}
2,lee,2026-10-04 08:00:00,"{second}",{good}
3,lee,2026-10-04 09:00:00,"{third}",{bad}
"""
COLUMNS = {
    "conversion_id": "No",
    "customer_id": "Buyer",
    "converted_at": "Booked (UTC)",
    "revenue": "Gross",
    "currency": None,
}

# What each client's orders look like, and the revenue that is published of them.
SHAPES = {
    "statuses": (
        {"column": "Payment status", "good": "settled", "bad": "declined"}
        | {"first": "80.50", "second": "20.00", "third": "900.00"},
        "100.50",
    ),
    "tests": (
        {"column": "is_test", "good": "no", "bad": "yes"}
        | {"first": "80.50", "second": "19.50", "third": "900.00"},
        "100.00",
    ),
    "commas": (
        {"column": "Note", "good": "", "bad": ""}
        | {"first": "1.080,50", "second": "20,00", "third": "900,00"},
        "2000.50",
    ),
}


def delivered(house: House, name: str, shape: dict[str, str]) -> Path:
    """Write a client and its exports; return the client's file."""
    exports = house.home / "exports" / name
    exports.mkdir(parents=True)
    (exports / "sessions.csv").write_text(SESSIONS)
    (exports / "orders.csv").write_text(ORDERS.format(**shape))
    at = {"files": f"exports/{name}/sessions.csv", "expected_every": "never"}
    orders = {"files": f"exports/{name}/orders.csv", "columns": COLUMNS}
    settings = {
        "name": name,
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "start": date(2026, 9, 1),
        "shard": "home",
        "attribution": {"model": "last_touch"},
        "sources": {"web": {"sessions": at, "conversions": orders}},
    }
    file = house.home / "clients" / f"{name}.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.mark.slow
def test_refused_exports_are_published_right_once_the_remedy_is_pasted(house: House) -> None:
    for file in (house.home / "clients").glob("*.yaml"):
        file.unlink()
    files = {name: delivered(house, name, shape) for name, (shape, _) in SHAPES.items()}
    refused = house.ingest()
    assert {name for name, _ in refused} == set(SHAPES)
    assert [name for (name, _), outcome in refused.items() if not outcome.problem] == ["commas"]
    for (name, _), outcome in refused.items():
        if outcome.problem:
            assert outcome.status.code == "refused", name
            paste(files[name], outcome.problem)
    assert {
        name: outcome.problem for (name, _), outcome in house.ingest().items()
    } == dict.fromkeys(SHAPES, "")
    house.serve()

    for name, (_, revenue) in SHAPES.items():
        found = house.rows(
            f"""SELECT SUM(revenue)::TEXT, MIN(converted_at)::TEXT, COUNT(touchpoint_id)
            FROM {name}_publish.attribution_v1"""
        )
        count = 3 if name == "commas" else 2
        assert found == [(revenue, "2026-10-03 23:30:00", count)], name
