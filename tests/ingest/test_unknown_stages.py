"""Stages of deals that a ready-made format does not know are named, and asked about where no deal is won."""

import pytest
import yaml

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "Opportunity ID,Stage,Close Date,Amount,Owner mail"


def deals(tenant: Tenant, *stages: str, **export: str) -> str:
    """Deliver a deal of each stage in a report of Salesforce; return the problem."""
    settings = {"files": "exports/one/deals*", "format": "salesforce_report"} | export
    settings |= {"columns": {"customer_id": "Owner mail"}, "expected_every": "never"}
    client = {"name": "one", "currency": "EUR"}
    sources = {"salesforce": {"opportunities": settings}}
    tenant.settings.write_text(yaml.safe_dump(client | {"sources": sources}))
    return delivered(tenant, *stages)


def delivered(tenant: Tenant, *stages: str) -> str:
    rows = [f"d{n},{stage},2026-10-0{n},5.00,kim@x.example" for n, stage in enumerate(stages, 1)]
    tenant.deliver("deals.csv", "\n".join([HEAD, *rows, ""]))
    return tenant.ingest("salesforce").problem


def won(tenant: Tenant) -> list[tuple]:
    return tenant.log("opportunity_id, is_won", "salesforce", "opportunities")


def said(tenant: Tenant) -> str:
    return " ".join(tenant.ingest("salesforce").status.notes)


def test_stages_that_are_not_known_are_named_with_their_deals(house: House) -> None:
    tenant = Tenant(house.home)
    stages = ("Closed Won", "Signed", "Signed", "Demo", "Prospecting", "Closed Lost - price")

    assert deals(tenant, *stages) == ""

    notes = said(tenant)
    assert "3 deals in stages that its format does not know" in notes
    assert "'Signed' 2, 'Demo' 1" in notes and "Prospecting" not in notes and "Lost" not in notes
    assert """is_won: "\\"Stage\\" IN ('Closed Won', 'Signed')\"""" in notes


def test_stages_that_are_all_known_are_not_worth_a_word(house: House) -> None:
    tenant = Tenant(house.home)
    assert deals(tenant, "Closed Won", "Negotiation/Review", "Closed Lost") == ""
    assert "stage" not in said(tenant)


@pytest.mark.parametrize(("choice", "right"), [(0, ["true", "true", "false"]), (1, ["false"] * 3)])
def test_of_an_export_without_a_won_deal_the_won_stage_is_asked(
    house: House, choice: int, right: list[str]
) -> None:
    tenant = Tenant(house.home)
    problem = deals(tenant, "Signed", "Signed", "Closed Lost", delivery="full")
    assert "none of its deals is won by its format" in problem and "'Signed' 2" in problem

    paste(tenant.settings, problem, choice)

    assert tenant.ingest("salesforce").problem == ""
    assert [flag for _, flag in won(tenant)] == right


def test_a_later_part_without_a_won_deal_is_taken(house: House) -> None:
    tenant = Tenant(house.home)
    assert deals(tenant, "Closed Won", "Demo") == ""
    assert delivered(tenant, "Demo", "Trial") == ""
