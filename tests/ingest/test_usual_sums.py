"""Sums far off their usual are flagged by name: another unit, not a good day."""

import duckdb
import pytest

from pipelines.ingest.source_status import statuses
from pipelines.settings.reader import parse
from tests.builders.tenant import Tenant
from tests.conftest import House

DAYS = [f"{day:02}" for day in range(1, 13)]
BUSY = "brand,12.50,25", "generic,480.00,200"  # campaign, cost, clicks


@pytest.fixture
def tenant(house: House) -> Tenant:
    return Tenant(house.home)


def history(tenant: Tenant) -> None:
    """Load twelve days of two campaigns, of which one costs forty times the other."""
    for day in DAYS:
        tenant.spend(f"spend-{day}.csv", *(f"{day},{row}" for row in BUSY))
    assert tenant.ingest().status.warnings == []


def loaded(tenant: Tenant, *rows: str, file: str = "spend-20.csv") -> list[str]:
    """Load a file of the 20th and return what looks wrong then."""
    tenant.spend(file, *(f"20,{row}" for row in rows))
    return tenant.ingest().status.warnings


@pytest.mark.parametrize(
    "rows, said",
    [
        (["brand,12100000,24"], "cost is 968,000 times what is usual; is it in micros?"),
        (["brand,1210,24", "generic,51100,190"], "cost is 102 times what is usual; is it in cents"),
        (["brand,.0121,24", "generic,.511,190"], "cost is 1/984 of what is usual"),
        (["brand,12.10,24000", "generic,511,190000"], "clicks is 955 times what is usual"),
    ],
)
def test_another_unit_is_flagged_with_its_file(tenant: Tenant, rows: list[str], said: str) -> None:
    history(tenant)
    (warning, *others) = loaded(tenant, *rows)
    assert not others and warning.startswith(f"exports/one/spend-20.csv: {said}")
    noted = tenant.log("export_file, unusual", table="exports")
    assert [file for file, note in noted if note] == ["exports/one/spend-20.csv"]
    assert [each.warnings for each in statuses(parse(tenant.settings))] == [[warning]]


@pytest.mark.parametrize(
    "rows",
    [
        ["brand,125,240", "generic,4800,2000"],  # ten times as much, on Black Friday
        ["generic,480,200"],  # the dear one alone
        ["new,9000,3000"],  # a campaign that nothing is known of
        ["brand,0,0", "generic,0,0"],  # nothing spent
    ],
)
def test_a_day_may_be_good_or_odd(tenant: Tenant, rows: list[str]) -> None:
    history(tenant)
    assert loaded(tenant, *rows) == []


def test_what_is_delivered_right_is_flagged_no_more(tenant: Tenant) -> None:
    history(tenant)
    assert loaded(tenant, "brand,12100000,24")
    assert loaded(tenant, "brand,12.10,24", file="spend-20-again.csv") == []


def test_what_is_not_corrected_stays_flagged_while_good_days_come(tenant: Tenant) -> None:
    history(tenant)
    (warning,) = loaded(tenant, "brand,12100000,24")
    tenant.spend("spend-21.csv", "21,brand,13,25")
    assert tenant.ingest().status.warnings == [warning]


@pytest.mark.parametrize(
    "row, said",
    [
        ("01,brand,2270000,4", "a click costs 567,500.00; is it in micros?"),
        ("01,brand,2270000,0", "a row costs 2,270,000.00; is it in micros?"),
        ("01,brand,2270,4", None),
    ],
)
def test_a_first_load_is_judged_by_what_can_be(tenant: Tenant, row: str, said: str | None) -> None:
    tenant.spend("spend.csv", row)
    warnings = tenant.ingest().status.warnings
    assert warnings == [] if said is None else said in warnings[0]


def test_a_click_may_cost_thousands_of_yen(tenant: Tenant) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("currency: EUR", "currency: JPY"))
    tenant.spend("spend.csv", "01,brand,90000,4")
    assert tenant.ingest().status.warnings == []


def test_one_large_deal_is_no_other_unit_and_five_are(tenant: Tenant) -> None:
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount"
    sold = [f"{each},7,Won,true,2026-10-0{each % 9 + 1},{100 + each}" for each in range(12)]
    tenant.deliver("deals-1.csv", "\n".join([head, *sold, ""]))
    assert tenant.ingest("salesforce").status.warnings == []
    large = [f"x{each},7,Won,true,2026-10-11,{10000 + each}" for each in range(5)]
    tenant.deliver("deals-2.csv", "\n".join([head, large[0], ""]))
    assert tenant.ingest("salesforce").status.warnings == []
    tenant.deliver("deals-3.csv", "\n".join([head, *large, "y,7,Won,true,2026-10-11,9990", ""]))
    (warning,) = tenant.ingest("salesforce").status.warnings
    assert "deals-3.csv: amount is 94 times what is usual; is it in cents?" in warning


def test_a_lake_without_notes_is_read_all_the_same(tenant: Tenant) -> None:
    history(tenant)
    for file in (tenant.home / "lake/one").rglob("exports/*.parquet"):
        duckdb.sql(f"FROM '{file}'").select("* EXCLUDE (newest_day, unusual)").to_parquet(str(file))
    assert loaded(tenant, "brand,12100000,24")


@pytest.mark.parametrize("currency, is_flagged", [("EUR", True), ("JPY", False)])
def test_orders_worth_millions_are_flagged_at_once(
    house: House, currency: str, is_flagged: bool
) -> None:
    columns = {"currency": None}
    orders = {"files": "exports/one/orders*", "expected_every": "never", "columns": columns}
    tenant = Tenant(house.home)
    house.change("one", currency=currency, sources={"web": {"conversions": orders}})
    rows = "".join(f"{number},kim,2026-10-01,{number}9500000\n" for number in (1, 2, 3))
    tenant.deliver("orders.csv", f"conversion_id,customer_id,converted_at,revenue\n{rows}")
    warnings = " ".join(tenant.ingest("web").status.warnings)
    assert (
        "revenue is 29,500,000.00 in the middle row; is it in micros?" in warnings
    ) == is_flagged
