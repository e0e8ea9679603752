"""Deals that are delivered again, in another form: read right, told, or held."""

import pytest

from pipelines.ingest.acceptance import accept, waiting_of
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "opportunity_id,customer_id,stage,is_won,closed_at,amount,State"
DEAL = "006A0000006Vm{:02d},003A000000xyz{:02d},Won,true,2026-10-20 10:00:00,10,Paid"
SWAPPED = "003A000000xyz{:02d},006A0000006Vm{:02d},Won,true,2026-10-20 10:00:00,10,Paid"
PAID = "State = 'Paid'"


def deals(row: str, count: int = 12) -> str:
    return "\n".join([HEAD, *(row.format(number, number) for number in range(count)), ""])


def client(house: House, delivery: str, where: str = "true") -> Tenant:
    """Return a client whose deals are exported so."""
    tenant = Tenant(house.home)
    feed = {"files": "exports/one/rows*", "expected_every": "never"}
    feed |= {"delivery": delivery, "where": where}
    House(tenant.home).change("one", sources={"salesforce": {"opportunities": feed}})
    return tenant


@pytest.mark.parametrize(
    "delivery, before, after, held, told",
    [
        ("full", DEAL, SWAPPED, "it has none of the 12 known rows", ""),
        ("full", DEAL, DEAL.replace("006A", "006B"), "it has none of the 12 known rows", ""),
        ("full", DEAL, DEAL.replace(" 10:00:00", " 11:00:00"), "", "closed_at of 12 known rows is 1 hour later"),
        ("full", DEAL.replace(":00,", ":00Z,"), DEAL.replace(" 10:00:00", "T12:00:00+02:00"), "", ""),
        ("full", DEAL, DEAL.replace("Paid", "PAID"), "leaves out all of its 12 rows", ""),
        ("increment", DEAL, DEAL.replace("Paid", "PAID"), "`where:` leaves out 12 of the 12 known rows", ""),
    ],
    ids=["ids swapped", "other ids", "summer time", "another zone", "words, full", "words, increment"],
)  # fmt: skip
def test_rows_that_come_again_in_another_form(
    house: House, delivery: str, before: str, after: str, held: str, told: str
) -> None:
    tenant = client(house, delivery, PAID if "PAID" in after else "true")
    tenant.deliver("rows-1.csv", deals(before))
    assert not tenant.ingest("salesforce").problem
    tenant.deliver("rows-2.csv", deals(after))
    outcome = tenant.ingest("salesforce")
    assert held in outcome.problem and bool(outcome.problem) == bool(held)
    assert told in "".join(outcome.status.notes) and bool(outcome.status.notes) == bool(told)
    if delivery == "increment":
        accept("one", "salesforce", waiting_of("one", "salesforce")[0])
        assert not tenant.ingest("salesforce").problem
        found = tenant.log("is_deleted", "salesforce", "opportunities")
        assert found == [(False,)] * 12 + [(True,)] * 12
