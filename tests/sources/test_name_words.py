"""What names of columns say of their unit and their currency."""

import pytest

from pipelines.sources.files.name_currencies import currencies_of
from pipelines.sources.files.name_units import unit_of


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("micros", ["cost_micros", "costMicros", "metrics_cost_micros", "cost_1e6", "\u00b5 EUR"]),
        ("cents", ["amount_cents", "price_in_pennies", "Betrag (Cent)", "Rappen", "Cost (p)"]),
        ("thousands", ["Revenue (k EUR)", "T\u20ac", "Tsd. EUR", "in thousands", "Cost (000s)"]),
        (
            "thousands",
            ["kUSD", "TEUR", "USDk", "spend_k", "Cost x 1000", "Umsatz in Tausend", "k\u20ac"],
        ),
        ("millions", ["Spend (M)", "cost_m", "Mio. EUR", "Spend (MM)", "Cost in mln"]),
        ("", ["Cost in bn", "crore INR", "milli_eur", "Cost (%)"]),
    ],
)
def test_a_name_says_a_unit(unit: str, names: list[str]) -> None:
    assert {name: unit_of(name) for name in names} == dict.fromkeys(names, unit)


@pytest.mark.parametrize(
    "name",
    [
        *("cost", "Amount__c", "Net_Amount_c", "Amount spent (EUR)", "Media spend T1", "cost_30d"),
        *(
            "H&M spend",
            "T-Mobile cost",
            "Gross sales (incl. VAT 19%)",
            "Customer LTV",
            "Revenue 2026",
        ),
    ],
)
def test_other_names_say_none(name: str) -> None:
    assert unit_of(name) is None


@pytest.mark.parametrize(
    ("currencies", "names"),
    [
        ({"USD"}, ["Cost (USD)", "spend_usd", "kUSD", "AmountUSD", "Cost [USDk]"]),
        ({"GBP"}, ["Price in pounds", "Cost (\u00a3)"]),
        ({"RON"}, ["Cost (RON)", "Cost RON"]),
        ({"CHF"}, ["Umsatz in Franken"]),
        (set(), ["Cost", "Cost (ALL)", "Total Revenue", "Amount (converted)", "Order Total"]),
    ],
)
def test_a_name_says_a_currency(currencies: set[str], names: list[str]) -> None:
    assert {name: currencies_of(name) for name in names} == dict.fromkeys(names, currencies)
