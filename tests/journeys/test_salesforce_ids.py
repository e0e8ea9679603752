"""An id of Salesforce's is one id in 15 characters and in 18; what only looks alike stays."""

import duckdb
import pytest
from sqlglot import exp

from macros.salesforce_id import salesforce_id
from pipelines.ingest import validation
from pipelines.ingest.load_counts import Counts
from tests.builders.tenant import Tenant
from tests.conftest import House


@pytest.mark.parametrize(
    ("written", "known"),
    {
        "001A0000006Vm9r": "001A0000006Vm9rIAC",
        "001A0000006Vm9rIAC": "001A0000006Vm9rIAC",
        "003ABCDEFGHIJKL": "003ABCDEFGHIJKLY55",
        "006b00000zzzzzz": "006b00000zzzzzzAAA",
        "006b00000zzzzzzXYZ": "006b00000zzzzzzXYZ",  # signs that somebody made up
        "001A0000006Vm9rAAA": "001A0000006Vm9rAAA",
        "001A0000006VM9RIAC": "001A0000006Vm9rIAC",  # as a spreadsheet writes it
        "001a0000006vm9riac": "001A0000006Vm9rIAC",
        "00q000000abcdefeab": "00Q000000aBcdefEAB",
        "001A0000006VM9R": "001A0000006VM9RIAW",  # it may be so called: none is given its capitals
        "001A0000006VM9RIAW": "001A0000006VM9RIAW",
        "003000000000001": "003000000000001",  # a number
        "fb3a9c5d7e2f1a0": "fb3a9c5d7e2f1a0",  # a cookie
        "001A0000006Vm9rI": "001A0000006Vm9rI",
        "001A0000006Vm-r": "001A0000006Vm-r",
        "ann@example.com": "ann@example.com",
        "12.0": "12",  # as older versions loaded it
        "1200,00": "1200",
        "120": "120",
        "1.20": "1.20",
        "v12.0": "v12.0",
    }.items(),
)
def test_an_id_is_brought_into_its_longer_form(written: str, known: str) -> None:
    made = salesforce_id(None, exp.column("written"))
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {made} FROM (SELECT ? AS written)", [written])
        assert found.fetchall() == [(known,)]


def test_a_deal_that_comes_in_the_other_form_is_a_newer_version_of_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = Tenant(house.home)
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("/deals*", "/deals*\n      delivery: full"))
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount"
    with monkeypatch.context() as before:
        before.setattr(validation, "whole_id", lambda value: value)  # as older loads have keys
        tenant.deliver("deals.csv", f"{head}\n006A0000006Vm9r,ann,New,no,,5\n")
        assert tenant.ingest("salesforce").counts == Counts(1, 1)
    tenant.deliver("deals.csv", f"{head}\n006A0000006Vm9rIAC,ann,New,no,,7\n")
    assert tenant.ingest("salesforce").counts == Counts(1, 1)  # and none is deleted
    found = tenant.log("row_key, amount", "salesforce", "opportunities")
    assert found == [("006A0000006Vm9r", "5"), ("006A0000006Vm9rIAC", "7")]
