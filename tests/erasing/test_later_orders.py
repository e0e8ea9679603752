"""An order that is delivered after its customer was erased counts with its amount, and names nobody."""

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ingest.run import ingest_source
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.withdrawal import withdraw
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from tests.builders.searching import traces
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
quality: {quarantine_limit: 0.9, deletion_limit: 1}
exclude: {customer_id: "*@one.example"}
sources:
  web:
    conversions: {files: exports/one/orders*, delivery: full, expected_every: never}
    events: {files: exports/one/events*, delivery: full, expected_every: never}
  salesforce:
    opportunities: {files: exports/one/deals*, delivery: full, expected_every: never}
    contacts: {files: exports/one/contacts*, delivery: full, expected_every: never}
    contact_roles: {files: exports/one/roles*, delivery: full, expected_every: never}
"""
REFUNDS = "\n    refunds: {files: exports/one/refunds*, delivery: full, expected_every: never}"
ANN, TESTER = "ann@example.com", "tester@one.example"
ORDERS = [f"order-01,{ANN},2026-10-01,10", "order-02,bob@example.com,2026-10-01,20"]
EVENT = (
    "event_id,client_id,event_type,event_time,session_id,revenue,channel,campaign_id,utm_source,"
    "utm_medium,page_url,referrer_url,product_id,product_category"
)
EVENTS = [
    f"event-01,{ANN},purchase,2026-10-01 10:00:00,visit-01,40",
    f"event-02,{ANN},page_view,2026-10-01 10:00:00,visit-01,",
]
DEALS = [f"deal-01,{ANN},Won,true,2026-10-05,100,2026-10-01"]


class Shop:
    """A client with orders, purchases and deals, and what its lake says of them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "clients/one.yaml").write_text(SETTINGS)
        (home / "exports/one").mkdir(parents=True)

    def deliver(self, orders: list[str], events: list[str], deals: list[str]) -> str:
        """Deliver everything in new files, and load it; return what is said of it."""
        self._write("orders", "conversion_id,customer_id,converted_at,revenue", orders)
        self._write(
            "events", EVENT, [f"{event}{',' * (13 - event.count(','))}" for event in events]
        )
        head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,opened_at"
        self._write("deals", head, deals)
        self._write("contacts", "contact_id,account_id,email,name,created_at", CONTACTS)
        self._write("roles", "contact_role_id,opportunity_id,contact_id,role,is_primary", ROLES)
        done = [ingest_source(self._client, source) for source in ("web", "salesforce")]
        assert [each.status.code for each in done] == ["ok", "ok"], [each.status for each in done]
        return str([each.status.notes for each in done])

    def deliver_refunds(self, *refunds: str) -> None:
        """Deliver refunds, and load them."""
        (self.home / "clients/one.yaml").write_text(SETTINGS.replace("  web:", f"  web:{REFUNDS}"))
        self._write("refunds", "refund_id,conversion_id,refunded_at,amount", [*refunds])
        done = ingest_source(self._client, "web")
        assert done.status.code == "ok", done.status

    def deliver_orders(self, orders: list[str]) -> None:
        """Deliver orders with their status, and load them."""
        self._write("orders", "conversion_id,customer_id,converted_at,revenue,status", orders)
        done = ingest_source(self._client, "web")
        assert done.status.code == "ok", done.status

    @property
    def _client(self):
        return House(self.home).client("one")

    def _write(self, name: str, head: str, rows: list[str]) -> None:
        folder = self.home / "exports/one"
        number = len(list(folder.glob(f"{name}*")))
        (folder / f"{name}-{number}.csv").write_text("\n".join([head, *rows]) + "\n")

    def erase(self, person: str) -> None:
        done = CliRunner().invoke(app, ["erase", "one", "--person", person, "--yes"])
        assert done.exit_code == 0, done.output

    def newest(self, source: str, table: str, columns: str) -> list[tuple]:
        """Return the newest version of each row that is not deleted."""
        loads = committed_loads(str(folder := self.home / "lake/one" / source))
        log = read_loads(committed_files(str(folder), table, loads), loads)
        with duckdb.connect() as connection:
            return connection.execute(
                f"""SELECT {columns} FROM (
                  SELECT * FROM {log} AS log QUALIFY
                  ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
                ) WHERE NOT is_deleted ORDER BY ALL"""
            ).fetchall()

    def sums(self) -> tuple[int, ...]:
        """Return what all orders, all purchases, and all deals amount to."""
        tables = [("web", "conversions", "revenue"), ("web", "events", "revenue")]
        tables.append(("salesforce", "opportunities", "amount"))
        found = [self.newest(*table, f"SUM({amount}::INT)") for *table, amount in tables]
        return tuple(sum_ for ((sum_,),) in found)


CONTACTS = [
    f"contact-01,account-1,{ANN},Ann,2026-09-01",
    "contact-02,account-1,b@x.example,B,2026-09-01",
]
ROLES = ["role-01,deal-01,contact-01,User,false", "role-02,deal-01,contact-02,User,true"]


@pytest.fixture
def shop(house: House) -> Shop:
    shop = Shop(house.home)
    tester = f"order-03,{TESTER},2026-10-01,1000"
    shop.deliver([*ORDERS, tester], EVENTS, DEALS)
    assert shop.sums() == (1030, 40, 100)
    return shop


def test_its_amount_is_in_the_totals_and_the_person_is_not_back(shop: Shop) -> None:
    shop.erase(ANN)
    deal = shop.newest("salesforce", "opportunities", "opportunity_id, customer_id")
    assert deal[0][0] == "deal-01"  # others are on it, so it keeps its id
    orders = [*ORDERS, f"order-03,{TESTER},2026-10-01,1000", f"order-04,{ANN},2026-11-02,5"]
    events = [
        *EVENTS,
        f"event-03,{ANN},purchase,2026-11-02 10:00:00,visit-02,7",
        f"event-04,{ANN},page_view,2026-11-02 09:00:00,visit-02,",
        f"event-05,bob@example.com,page_view,2026-11-02 09:00:00,visit-03,,{ANN}",
    ]
    deals = [
        DEALS[0].replace(",100,", ",150,"),
        f"deal-02,{ANN},Won,true,2026-11-05,300,2026-11-01",
    ]

    said = shop.deliver(orders, events, deals)

    assert "conversions: 1 new row of an erased person counts, and names nobody" in said
    assert "events: 1 new row of an erased person counts, and names nobody" in said
    assert "opportunities: 2 new rows of erased persons count, and name nobody" in said
    assert shop.sums() == (1035, 47, 450)
    assert traces(shop.home, [ANN, "visit-02", "event-04"]) == []
    owners = shop.newest("web", "conversions", "DISTINCT customer_id")
    assert len(owners) == 4  # Ann before, her new order by itself, Bob and the tester
    assert deal[0] in shop.newest("salesforce", "opportunities", "opportunity_id, customer_id")

    rows = shop.newest("web", "conversions", "*"), shop.newest("web", "events", "*")
    shop.deliver(orders, events, [deals[0], deals[1].replace(",300,", ",310,")])
    assert (shop.newest("web", "conversions", "*"), shop.newest("web", "events", "*")) == rows
    assert shop.sums() == (1035, 47, 460)  # the same is nothing new, and a change counts
    shop.deliver(orders[:3], events[:2], deals[:1])
    assert shop.sums() == (1030, 40, 150)  # what a full export lacks is deleted, once it is known


def test_a_refund_lowers_what_an_old_order_of_theirs_brought(shop: Shop) -> None:
    shop.erase(ANN)
    assert traces(shop.home, [ANN, "order-01", "event-01", "visit-01"]) == []
    tester = f"order-03,{TESTER},2026-10-01,1000"
    ((bought, whose),) = shop.newest("web", "conversions", "row_key, customer_id")[:1]
    purchase = EVENTS[0].removesuffix("40") + "0"
    assert "erased-" in bought

    shop.deliver(["order-01,,2026-10-01,4", ORDERS[1], tester], [purchase, EVENTS[1]], DEALS)

    assert shop.sums() == (1024, 0, 100)
    assert (bought, whose) in shop.newest("web", "conversions", "row_key, customer_id")
    assert len(shop.newest("web", "conversions", "*")) == 3
    shop.deliver([ORDERS[1], tester], [EVENTS[1]], DEALS)
    assert shop.sums() == (1024, 0, 100)  # the shop erased her, too: her money stays
    shop.deliver([*ORDERS, tester], EVENTS, DEALS)
    assert shop.sums() == (1030, 40, 100)
    assert traces(shop.home, [ANN, "order-01", "event-01", "visit-01"]) == []


def test_refunds_stay_with_an_old_order_of_theirs(shop: Shop) -> None:
    old, new = "re-01,order-01,2026-10-05,3", "re-02,order-01,2026-11-05,2"
    shop.deliver_refunds(old)
    shop.erase(ANN)
    ((order,),) = shop.newest("web", "conversions", "conversion_id")[:1]
    shop.deliver_refunds(old, new, ",order-02,2026-10-05,1")
    assert "erased-" in order and shop.newest("web", "refunds", "conversion_id, amount") == [
        (order, "2"),
        (order, "3"),
        ("order-02", "1"),
    ]
    assert traces(shop.home, ["order-01", "re-01"]) == []


def test_an_old_order_that_counts_no_more_is_taken_back(shop: Shop) -> None:
    shop.erase(ANN)
    where = "files: exports/one/orders*, where: status = 'paid'"
    settings = SETTINGS.replace("files: exports/one/orders*", where)
    rows = [f"order-01,{ANN},2026-10-01,10,refunded", "order-02,b@x.example,2026-10-01,20,paid"]
    later = f"order-05,{ANN},2026-10-01,7"
    for file in (shop.home / "exports/one").glob("orders*"):
        file.unlink()
    for delivery in ("full", "increment"):
        way = f"{where}, delivery: {delivery}"
        (shop.home / "clients/one.yaml").write_text(
            settings.replace(f"{where}, delivery: full", way)
        )
        shop.deliver_orders([rows[0].replace("refunded", "paid"), rows[1], f"{later},paid"])
        assert shop.sums()[0] == 37
        shop.deliver_orders([*rows, f"{later},void"])
        assert shop.sums()[0] == 20
    assert traces(shop.home, [ANN, "order-01"]) == []


def test_a_withdrawn_order_of_theirs_is_back_when_it_comes_again(shop: Shop) -> None:
    shop.erase(ANN)
    rows = shop.newest("web", "conversions", "*")
    for file in (shop.home / "exports/one").iterdir():
        file.unlink()
    withdraw("one", max(SourceLog("one", "web").loads))
    assert shop.newest("web", "conversions", "*") == []
    shop.deliver([*ORDERS, f"order-03,{TESTER},2026-10-01,1000"], EVENTS, DEALS)
    assert shop.sums() == (1030, 40, 100)
    ids = [(row[0], row[1]) for row in shop.newest("web", "conversions", "row_key, customer_id")]
    assert len(ids) == len(rows) and sum("erased-" in whose for _, whose in ids) == 1


def test_whoever_a_rule_leaves_out_adds_nothing(shop: Shop) -> None:
    shop.erase(TESTER)
    left = shop.sums()
    said = shop.deliver([*ORDERS, f"order-05,{TESTER},2026-11-01,2000"], EVENTS, DEALS)
    assert "conversions: 1 row of an erased person is left out" in said
    assert shop.sums() == left
