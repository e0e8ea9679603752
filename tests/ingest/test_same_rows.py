"""Rows of one key that say the same: one row, and its money is told, or asked about."""

import pytest

from pipelines.ingest.load_counts import Counts
from tests.builders.tenant import Tenant
from tests.conftest import House

FILES = {"expected_every": "never"}


def deliver(house: House, table: str, head: str, rows: list[str], **export: object) -> Tenant:
    """Deliver an export of conversions, deals or events; return its client."""
    tenant = Tenant(house.home)
    source = "salesforce" if table == "opportunities" else "web"
    feed = FILES | {"files": "exports/one/rows*", **export}
    House(tenant.home).change("one", sources={source: {table: feed}})
    tenant.deliver("rows.csv", "\n".join([head, *rows, ""]))
    return tenant


ORDER = "conversion_id,customer_id,converted_at,{},{}"
ONE, OTHER = "1001,a,2026-10-01,10,shoe", "1001,a,2026-10-01,10,sock"
ONCE = "each conversion counts once, and 10.00 EUR of revenue not again"


@pytest.mark.parametrize(
    "money, beside, rows, said",
    [
        ("revenue", "Product", [ONE, OTHER], "but for Product, which is not read: do 10.00 EUR of"),
        ("revenue", "note", [ONE, OTHER], "but for note, which is not read: do 10.00 EUR of"),
        ("Lineitem price", "name", [ONE, OTHER], "grain: sum"),
        ("Lineitem price", "Order Total", [ONE, OTHER], "grain: sum"),
        ("revenue", "SKU", [ONE, ONE], "and its column 'SKU' tells of items: do 10.00 EUR of revenue"),
        ("Order Total", "Product", [ONE, OTHER], f"but for Product, which is not read: {ONCE}"),
        ("revenue", "note", [ONE, ONE], f"1 row has the same content as another row: {ONCE}"),
        ("revenue", "Exported at", [ONE, OTHER], f"the same content as another row: {ONCE}"),
        ("revenue", "Product", ["1001,a,2026-10-01,0,shoe", "1001,a,2026-10-01,0,sock"], ""),
        ("revenue", "Product", [ONE, OTHER.replace("1001", "1002")], ""),
    ],
)  # fmt: skip
def test_money_that_would_count_once_is_told_or_asked_about(
    house: House, money: str, beside: str, rows: list[str], said: str
) -> None:
    columns = {} if money == "revenue" else {"revenue": money}
    tenant = deliver(house, "conversions", ORDER.format(money, beside), rows, columns=columns)
    outcome = tenant.ingest("web")
    is_asked = bool(said) and ONCE not in said
    assert bool(outcome.problem) == is_asked
    assert said in outcome.problem if is_asked else said in "".join(outcome.status.notes)
    assert bool(outcome.status.notes) == (bool(said) and not is_asked)
    is_one = len({row.split(",")[0] for row in rows}) == 1
    taken = Counts(2, 1, superseded=1) if is_one else Counts(2, 2)
    assert outcome.counts == (Counts() if is_asked else taken)


def test_items_of_one_order_are_added_up_and_a_refund_is_none(house: House) -> None:
    head = ORDER.format("revenue", "Product")
    tenant = deliver(house, "conversions", head, [ONE, OTHER, ONE], grain="sum")
    assert not tenant.ingest("web").problem
    assert tenant.log("revenue::INT", "web", "conversions") == [(30,)]
    tenant.deliver("rows-2.csv", f"{head}\n{ONE}\n1001,a,2026-10-03,-4,shoe\n")
    assert (
        "give a refund, or what is another, its own conversion_id" in tenant.ingest("web").problem
    )


def test_a_file_that_was_written_twice_is_told_where_rows_are_added_up(house: House) -> None:
    head, rows = (
        ORDER.format("revenue", "Product"),
        [ONE, OTHER.replace(",10,", ",7,"), ONE.replace("1001", "1002")],
    )
    tenant = deliver(house, "conversions", head, rows + rows, grain="sum")
    (note,) = tenant.ingest("web").status.notes
    assert "each of its 6 rows is there 2 times or more, and all of them are added up" in note


DEAL = "opportunity_id,customer_id,stage,is_won,closed_at,amount,Product"


@pytest.mark.parametrize(("amount", "is_asked"), [("amount", False), ("Total Price", True)])
def test_the_amount_of_a_deal_is_on_each_of_its_rows(
    house: House, amount: str, is_asked: bool
) -> None:
    rows = [f"d1,a,Won,true,2026-10-01,10,{product}" for product in ("shoe", "sock")]
    columns = {} if amount == "amount" else {"amount": amount}
    tenant = deliver(house, "opportunities", DEAL.replace("amount", amount), rows, columns=columns)
    outcome = tenant.ingest("salesforce")
    assert bool(outcome.problem) == is_asked
    assert ("opportunity counts once, and 10.00 EUR" in "".join(outcome.status.notes)) != is_asked


@pytest.mark.parametrize(("own_id", "is_asked"), [("left out", True), (None, False)])
def test_equal_purchases_that_an_unread_id_tells_apart_are_asked_about(
    house: House, own_id: str | None, is_asked: bool
) -> None:
    lacks = ("session_id", "channel", "campaign_id", "utm_source", "utm_medium", "page_url")
    columns = dict.fromkeys([*lacks, "referrer_url", "product_id", "product_category"])
    columns |= {} if own_id else {"event_id": None}
    rows = [f"kim,{kind},2026-10-01 10:00:00,{revenue},{number}" for number, (kind, revenue) in
            enumerate([("purchase", 10), ("purchase", 10), ("page_view", ""), ("page_view", "")])]  # fmt: skip
    head = "client_id,event_type,event_time,revenue,Order ID"
    tenant = deliver(house, "events", head, rows, columns=columns)
    outcome = tenant.ingest("web")
    assert ("`event_id: Order ID` if each counts by itself" in outcome.problem) == is_asked
    assert ("each event counts once, and 10.00 EUR" in "".join(outcome.status.notes)) != is_asked
