"""An order's further lines hold its items: the fields of the order stand on the first, and it counts once."""

from pathlib import Path

import pytest
import yaml

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "Order,Mail,Placed,Sum,Article"
ORDERS = [
    "n1,kim@x.example,2026-10-01 08:00,45.50,Vase",
    "n1,kim@x.example,,,Bowl",
    "n1,,,,Tray",
    "n2,lea@x.example,2026-10-02 08:00,5.00,Tray",
]


class Shop(Tenant):
    """A client that exports orders as conversions, or deals, by some columns."""

    def __init__(
        self, home: Path, source: str, table: str, columns: dict, **export: object
    ) -> None:
        super().__init__(home)
        feed = {
            "files": "exports/one/lines*",
            "columns": columns,
            "expected_every": "never",
        } | export
        self.settings.write_text(
            yaml.safe_dump({"name": "one", "currency": "EUR", "sources": {source: {table: feed}}})
        )


def shop(home: Path, **export: object) -> Shop:
    """Return a client that exports orders."""
    columns = {"conversion_id": "Order", "customer_id": "Mail", "converted_at": "Placed"}
    columns |= {"revenue": "Sum", "currency": None}
    return Shop(home, "web", "conversions", columns, **export)


def test_further_lines_of_an_order_are_skipped_and_counted(house: House) -> None:
    client = shop(house.home)
    client.deliver("lines.csv", "\n".join([HEAD, *ORDERS, ""]))
    outcome = client.ingest("web")
    assert not outcome.problem
    assert outcome.status.notes == ["lines.csv: skipped 2 lines: further lines of an order"]
    assert client.log("conversion_id, revenue", "web", "conversions") == [
        ("n1", "45.50"),
        ("n2", "5.00"),
    ]
    assert client.ingest("web").counts.appended == 0


@pytest.mark.parametrize(
    "line", ["n1,eve@x.example,,,Bowl", "n9,kim@x.example,,,Bowl", "n1,,,x,Bowl"]
)
def test_a_line_that_says_something_else_is_bad(house: House, line: str) -> None:
    client = shop(house.home)
    client.deliver("lines.csv", "\n".join([HEAD, ORDERS[0], line, ""]))
    assert "1 of 2 rows are bad" in client.ingest("web").problem


@pytest.mark.parametrize("people", ["71;72", "71; 72;73", '["71","72"]', "[71, 72]", "71, 72"])
def test_a_list_of_customers_is_asked_about(house: House, people: str) -> None:
    columns = {"opportunity_id": "Deal", "customer_id": "People", "stage": None, "is_won": True}
    columns |= {"closed_at": "Closed", "amount": "Worth", "currency": None}
    client = Shop(house.home, "salesforce", "opportunities", columns, delivery="full")
    quoted = people.replace('"', '""')
    client.deliver(
        "lines.csv", f'Deal,People,Closed,Worth\nd1,"{quoted}",2026-10-01,10\nd2,80,2026-10-02,5\n'
    )
    problem = client.ingest("salesforce").problem
    assert f"customer_id '{people}' lists several (line 2)" in problem
    paste(client.settings, problem)
    assert not client.ingest("salesforce").problem
    assert client.log("customer_id", "salesforce", "opportunities") == [("71",), ("80",)]
