"""Money whose currency nobody reads is asked about, where the export says that it is another one."""

import json

import pytest

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

DEAL = {"opportunity_id": "7", "customer_id": "kim", "stage": "Won", "is_won": True}
DEAL |= {"closed_at": "2026-10-02", "amount": 5}


def deal(house: House, further: dict[str, object], **export: object) -> Tenant:
    """Deliver a deal in JSON, with further columns."""
    tenant = Tenant(house.home)
    deals = {"files": "exports/one/deals*", "expected_every": "never"} | export
    house.change("one", sources={"salesforce": {"opportunities": deals}})
    tenant.deliver("deals.jsonl", json.dumps(DEAL | further) + "\n")
    return tenant


@pytest.mark.parametrize("name", ["CurrencyIsoCode", "deal_currency", "W\u00e4hrung (Deal)"])
def test_a_column_that_tells_another_currency_is_asked_about(house: House, name: str) -> None:
    tenant = deal(house, {name: "usd"})
    problem = tenant.ingest("salesforce").problem
    assert f"by its column '{name}', which is not read, 1 of its 1 rows are in 'usd'" in problem
    assert "Export it in EUR" in problem

    paste(tenant.settings, problem, choice=1)
    (note,) = tenant.ingest("salesforce").status.notes
    assert f"'{name}'" in note and "counts as EUR, as the client's file says" in note


@pytest.mark.parametrize("name", ["Amount (USD)", "amount_usd", "amountGbp", "Sum in $", "\u00a3"])
def test_a_name_of_money_that_tells_another_currency_is_asked_about(
    house: House, name: str
) -> None:
    tenant = deal(house, {name: 5}, columns={"amount": name})
    problem = tenant.ingest("salesforce").problem
    assert f"amount is read from '{name}', by whose name it is in another currency" in problem
    paste(tenant.settings, problem, choice=-1)
    assert not tenant.ingest("salesforce").problem


@pytest.mark.parametrize(
    ("further", "columns"),
    [
        ({"CurrencyIsoCode": "eur"}, {}),
        ({"Currency rate": 1.1}, {}),
        ({"Amount (EUR)": 5, "Amount (USD)": 6}, {"amount": "Amount (EUR)"}),
        ({"Code": "EUR", "Sum USD": 5}, {"amount": "Sum USD", "currency": "Code"}),
    ],
)
def test_the_clients_own_currency_is_not_asked_about(
    house: House, further: dict[str, object], columns: dict[str, str]
) -> None:
    outcome = deal(house, further, columns=columns).ingest("salesforce")
    assert not outcome.problem and not outcome.status.notes
