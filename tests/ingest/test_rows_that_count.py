"""Which rows of an export count is said by `where:`; where a column says that some do not, it is asked."""

import json
import sqlite3
from pathlib import Path

import pytest
import yaml

from pipelines.settings.reader import read
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

MAPPED = {
    "conversion_id": "No",
    "customer_id": "Buyer",
    "converted_at": "Booked",
    "revenue": "Gross",
    "currency": None,
}


class Shop(Tenant):
    """A client that exports orders as conversions, `order,state`, each of 10."""

    def __init__(self, home: Path, **export: object) -> None:
        super().__init__(home)
        conversions = {"files": "exports/one/orders*", "columns": MAPPED, "expected_every": "never"}
        web = {"conversions": conversions | export}
        self.settings.write_text(
            yaml.safe_dump({"name": "one", "currency": "EUR", "sources": {"web": web}})
        )

    def orders(self, file: str, *rows: str, column: str = "Order state") -> None:
        """Deliver orders in a CSV file."""
        lines = [f"No,Buyer,Booked,Gross,{column}"]
        for row in rows:
            number, state = row.split(",", 1)
            lines.append(f"{number},kim,2026-10-0{number} 08:00:00,10,{state}")
        self.deliver(file, "\n".join(lines) + "\n")

    def counting(self) -> set[str]:
        """Return the orders whose newest version is not deleted."""
        newest = dict(self.log("row_key, is_deleted", "web", "conversions"))
        return {number for number, is_deleted in newest.items() if not is_deleted}

    def counts(self) -> tuple:
        """Return of the newest batch how many rows were read, left out, and appended."""
        columns = "rows_read, rows_left_out, rows_appended"
        return self.log(columns, "web", "exports")[-1]


def test_a_column_that_says_some_rows_do_not_count_is_asked_about(house: House) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", "1,settled", "2,Declined", "3,settled", "4,")
    outcome = shop.ingest("web")

    assert outcome.status.code == "refused"
    assert "column 'Order state', which is not read, 1 of its 4 rows" in outcome.problem
    assert "'settled' in 2, 'Declined' in 1, empty in 1" in outcome.problem

    paste(shop.settings, outcome.problem)
    assert shop.ingest("web").status.notes == ["orders.csv: 1 of 4 rows left out by `where:`"]
    assert shop.counting() == {"1", "3", "4"}
    assert shop.counts() == (3, 1, 3)


def test_the_client_may_say_that_all_count(house: House) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", "1,paid", "2,pending")
    paste(shop.settings, shop.ingest("web").problem, choice=1)
    assert not shop.ingest("web").status.problem
    assert shop.counting() == {"1", "2"}


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("Financial Status", "paid", "voided"),
        ("payment_state", "SUCCESS", "FAILED"),
        ("Captured", "true", "false"),
        ("Cancelled at", "", "2026-10-03"),
        ("isTest", "false", "true"),
        ("Zahlungsstatus", "Bezahlt", "Storno"),
        ("Bestellstatus", "Abgeschlossen", "Teilweise erstattet"),
        ("Statut", "Pay\u00e9e", "Annul\u00e9e"),
    ],
)
def test_other_names_and_values_are_asked_about(
    house: House, column: str, good: str, bad: str
) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", f"1,{good}", f"2,{bad}", column=column)
    paste(shop.settings, shop.ingest("web").problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("State", ["Texas", "Ohio"]),
        ("Fulfillment Status", ["pending", "sent"]),
        ("Note", ["void"]),
        ("Versandstatus", ["Storno", ""]),
    ],
)
def test_columns_that_say_nothing_of_the_kind_are_left_alone(
    house: House, column: str, values: list[str]
) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", *(f"{n},{each}" for n, each in enumerate(values, 1)), column=column)
    assert not shop.ingest("web").problem


def test_json_and_sqlite_are_asked_about_too(house: House) -> None:
    shop = Shop(house.home)
    row = {"No": "1", "Buyer": "kim", "Booked": "2026-10-01 08:00:00", "Gross": "10"}
    lines = [row | {"status": "ok"}, row | {"No": "2", "status": "refunded"}]
    shop.deliver("orders.jsonl", "\n".join(map(json.dumps, lines)) + "\n")
    assert "column 'status'" in shop.ingest("web").problem

    (shop.exports / "orders.jsonl").unlink()
    House(shop.home).change("one", sources={"web": {"conversions": {"table": "orders"}}})
    with sqlite3.connect(shop.exports / "orders.sqlite") as database:
        database.execute("CREATE TABLE orders (No, Buyer, Booked, Gross, status)")
        database.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?)", [tuple(each.values()) for each in lines]
        )
    paste(shop.settings, shop.ingest("web").problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}


def test_an_order_that_counts_no_more_is_deleted_from_increments(house: House) -> None:
    shop = Shop(house.home, where="\"Order state\" = 'paid'", ordered_by="name")
    shop.orders("orders-1.csv", "1,paid", "2,paid", "3,open")
    shop.ingest("web")
    shop.orders("orders-2.csv", "2,refunded", "3,refunded")
    shop.ingest("web")

    assert shop.counting() == {"1"}
    assert shop.counts() == (1, 1, 1)  # order 3 never counted
    shop.orders("orders-3.csv", "2,paid")
    shop.ingest("web")
    assert shop.counting() == {"1", "2"}


def test_it_makes_no_difference_whether_files_come_at_once(house: House) -> None:
    shop = Shop(house.home, where="\"Order state\" = 'paid'", ordered_by="name")
    shop.orders("orders-1.csv", "1,paid", "2,paid")
    shop.orders("orders-2.csv", "2,refunded")
    shop.ingest("web")
    assert shop.counting() == {"1"}


def test_of_one_order_in_one_file_the_row_that_counts_is_enough(house: House) -> None:
    shop = Shop(house.home, where="\"Order state\" = 'paid'")
    shop.orders("orders.csv", "1,failed", "1,paid", "1,failed")
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}


def test_a_full_export_deletes_what_counts_no_more(house: House) -> None:
    shop = Shop(house.home, where="\"Order state\" = 'paid'", delivery="full")
    shop.orders("orders.csv", "1,paid", "2,paid", "3,paid")
    shop.ingest("web")
    shop.orders("orders.csv", "1,paid", "2,refunded", "3,paid")
    assert shop.ingest("web").counts.deleted == 1
    assert shop.counting() == {"1", "3"}


def test_a_changed_condition_is_read_again(house: House) -> None:
    shop = Shop(house.home, where=True)
    shop.orders("orders.csv", "1,paid", "2,open", "3,paid")
    shop.ingest("web")
    House(shop.home).change(
        "one", sources={"web": {"conversions": {"where": "\"Order state\" = 'paid'"}}}
    )
    assert "where: true, now" in " ".join(shop.ingest("web").status.notes)
    assert shop.counting() == {"1", "3"}


def test_a_condition_that_leaves_out_everything_is_refused(house: House) -> None:
    shop = Shop(house.home, where="\"Order state\" = 'Paid'")
    shop.orders("orders.csv", "1,paid", "2,open")
    assert "leaves out all of its 2 rows" in shop.ingest("web").problem


def test_a_column_that_is_not_there_is_named(house: House) -> None:
    shop = Shop(house.home, where="Statsu = 'paid'")
    shop.orders("orders.csv", "1,paid")
    assert "names the column Statsu, which it lacks" in shop.ingest("web").problem


@pytest.mark.parametrize(
    "where", ["(SELECT 1) = 1", "read_text('x') = 'y'", "a = 1; b", "shop.a[1] = 1", "1 + 1", ""]
)
def test_what_is_no_condition_is_refused_at_the_door(house: House, where: str) -> None:
    Shop(house.home, where=where)
    with pytest.raises(StopIteration):
        house.client("one")
    assert "where" in str(read()[1])


def test_numbers_and_flags_are_compared_as_such(house: House) -> None:
    shop = Shop(house.home, where='"Gross" >= 9.5 AND NOT trial')
    shop.orders("orders.csv", "1,no", "2,yes", "3,false", column="trial")
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1", "3"}


def net(shop: Shop, *rows: str, column: str = "Net") -> None:
    """Deliver orders with one more column, `order;value`, between tabs."""
    head = f"No\tBuyer\tBooked\tGross\t{column}\n"
    lines = [row.replace(";", "\tkim\t2026-10-01 08:00:00\t10\t") for row in rows]
    shop.deliver("orders.csv", head + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "where", ["Net > 100", "Net * 2 >= 200", "Net::DOUBLE > 100", "Net > '100'"]
)
@pytest.mark.parametrize(
    ("rows", "counting"),
    [
        (["1;1.250,00", "2;99,50", "3;100,50", "4;"], {"1", "3"}),
        (["1;1,250.00", "2;99.50", "3;100.50"], {"1", "3"}),
        (["1;1 250,00", "2;99,50"], {"1"}),
        (["1;1'250", "2;99"], {"1"}),
    ],
)
def test_numbers_that_are_compared_are_read_as_they_are_written(
    house: House, where: str, rows: list[str], counting: set[str]
) -> None:
    shop = Shop(house.home, where=where)
    net(shop, *rows)
    assert not shop.ingest("web").problem
    assert shop.counting() == counting


def test_of_two_readings_of_what_is_compared_one_is_chosen(house: House) -> None:
    shop = Shop(house.home, where="Net > 100")
    net(shop, "1;1.250", "2;2.500", "3;950")
    problem = shop.ingest("web").problem
    assert (
        "can be read in two ways, and no number of this export decides: Net of `where:`" in problem
    )
    before = shop.settings.read_text()
    paste(shop.settings, problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1", "2", "3"}
    shop.settings.write_text(before)
    paste(shop.settings, problem, choice=1)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"3"}


@pytest.mark.parametrize("other", ["", "3;?"], ids=["alone", "beside a bad row"])
def test_what_may_leave_out_all_rows_by_one_reading_is_asked_for_first(
    house: House, other: str
) -> None:
    shop = Shop(house.home, where="Net > 100")
    net(shop, *filter(None, ["1;1.250", "2;2.500", other]))
    problem = shop.ingest("web").problem
    assert "no number of this export decides: Net of `where:` '1.250', '2.500'" in problem
    assert ("Net, and '?' is no number" in problem) == bool(other)
    paste(shop.settings, problem)
    net(shop, "1;1.250", "2;2.500")
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1", "2"}
    paste(shop.settings, problem, choice=1)
    assert "`where: Net > 100` leaves out all of its 2 rows" in shop.ingest("web").problem


@pytest.mark.parametrize("rows", [["1;1.250", "2;2.5"], ["1;1.250", "2;950"]])
def test_what_another_number_decides_or_no_row_turns_on_is_not_asked(
    house: House, rows: list[str]
) -> None:
    shop = Shop(house.home, where="Net > 1" if "2.5" in rows[1] else "Net > 0")
    net(shop, *rows)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1", "2"}


@pytest.mark.parametrize(
    ("where", "bad", "said"),
    [
        ("Net > 1", "n/a", "is no number"),
        ("COALESCE(Net, 0) > 1", "?", "is no number"),
        ("CASE WHEN Net > 1 THEN TRUE ELSE FALSE END", "?", "is no number"),
        ("Net::INT IN (5, 6)", "five", "is no number"),
        ("NOT Net", "perhaps", "is neither true nor false"),
        ("Net = TRUE", "perhaps", "is neither true nor false"),
        ("Net >= '2026-10-01'", "03/10/2026", "is no time"),
        ("Net BETWEEN '2026-10-01' AND '2026-12-31 23:59:59'", "Oct 3", "is no time"),
        ("Net::DATE = '2026-10-03'", "3/10/26", "is no time"),
    ],
)
def test_a_row_whose_value_cannot_be_compared_is_bad_by_name(
    house: House, where: str, bad: str, said: str
) -> None:
    good = {"number": "5", "false": "no" if "NOT" in where else "yes", "time": "2026-10-03"}
    shop = Shop(house.home, where=where)
    net(shop, *(f"{number};{good[said.split()[-1]]}" for number in range(30)), f"30;{bad}")
    House(shop.home).change("one", quality={"quarantine_limit": 0})
    problem = shop.ingest("web").problem
    assert f"1 of 31 rows are bad: `where:` compares Net, and '{bad}' {said} (line 32)" in problem
    paste(shop.settings, problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {str(number) for number in range(30)}
    assert [reason for _, _, reason, _ in shop.quarantine("web")] == [
        f"`where:` compares Net, and '{bad}' {said}"
    ]


@pytest.mark.parametrize(
    "where",
    [
        "Gross < 5 AND Net > 1 OR \"No\" <> '2'",
        "Net <> 'n/a' AND Net > 1",
        "Gross > 5 OR Net > 1",
        "Net IS NOT NULL",
    ],
)
def test_a_value_that_decides_nothing_may_be_anything(house: House, where: str) -> None:
    shop = Shop(house.home, where=where)
    net(shop, "1;5", "2;n/a")
    assert not shop.ingest("web").problem
    assert "1" in shop.counting()


def test_numbers_in_quotes_are_no_texts_and_two_texts_are_refused_at_the_door(
    house: House,
) -> None:
    shop = Shop(house.home, where="Net > '99'")
    net(shop, "1;100", "2;98")
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}
    House(shop.home).change("one", sources={"web": {"conversions": {"where": "Net > Gross"}}})
    assert "Net > Gross compares texts" in str(read()[1])
    where = "Net::DOUBLE > Gross"
    House(shop.home).change("one", sources={"web": {"conversions": {"where": where}}})
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1", "2"}


def test_times_are_in_the_zone_that_their_column_is_called_after(house: House) -> None:
    named = {"converted_at": "Booked (UTC)"}
    shop = Shop(house.home)
    House(shop.home).change("one", timezone="Europe/Berlin")
    House(shop.home).change("one", sources={"web": {"conversions": {"columns": named}}})
    head = "No,Buyer,Booked (UTC),Gross\n"
    rows = "1,kim,2026-10-01 23:30:00,10\n2,kim,2026-10-02 01:00:00+02:00,10\n"
    shop.deliver("orders.csv", head + rows + "3,kim,2026-10-01 23:30,10\n4,kim,2026-10-01,10\n")
    outcome = shop.ingest("web")

    times = shop.log("conversion_id, converted_at", "web", "conversions")
    assert dict(times) == {
        "1": "2026-10-01 23:30:00+00:00",
        "2": "2026-10-02 01:00:00+02:00",
        "3": "2026-10-01 23:30:00+00:00",
        "4": "2026-10-01",
    }
    assert "converted_at is read as UTC+00:00" in " ".join(outcome.status.notes)


@pytest.mark.parametrize(
    ("column", "nothing", "refund"),
    [
        ("Refunded Amount", "0.00", "12.50"),
        ("amount_refunded", "", "3"),
        ("Refunded", "0", "-4.50"),
        ("Total chargebacks", "-", "7 EUR"),
        ("R\u00fcckerstattung", "", "4.50"),
        ("refund_id", "", "re_2"),
        ("refundDate", "", "2026-10-04"),
    ],
)
def test_money_given_back_is_asked_about(
    house: House, column: str, nothing: str, refund: str
) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", f"1,{nothing}", f"2,{refund}", column=column)
    problem = shop.ingest("web").problem
    assert f"of 1 of its 2 rows the column '{column}', which is not read" in problem
    assert f"'{refund}'" in problem

    text = shop.settings.read_text()
    paste(shop.settings, problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}
    shop.settings.write_text(text)
    paste(shop.settings, problem, choice=1)
    outcome = shop.ingest("web")
    assert not outcome.problem and "given back" not in str(outcome.status.notes)
    assert shop.counting() == {"1", "2"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Refunded Amount", "0.00"),
        ("Refund policy", "30 days"),
        ("Refundable until", "2026-11-01"),
        ("returning_customer", "1"),
    ],
)
def test_nothing_given_back_is_not_asked_about(house: House, column: str, value: str) -> None:
    shop = Shop(house.home)
    shop.orders("orders.csv", f"1,{value}", "2,", column=column)
    assert not shop.ingest("web").problem


def test_a_refund_of_an_order_that_counts_by_where_is_told(house: House) -> None:
    shop = Shop(house.home, where="State = 'Paid'")
    shop.orders("orders.csv", "1,Paid,", "2,Paid,4.50", "3,Void,9", column="State,Refund Total")
    left_out, told = shop.ingest("web").status.notes
    assert "1 of 3 rows left out by `where:`" in left_out
    assert "of 1 of its 2 rows the column 'Refund Total'" in told and "('4.50')" in told
    assert shop.counting() == {"1", "2"}


def test_refunds_in_json_are_asked_about(house: House) -> None:
    shop = Shop(house.home)
    row = {"No": "1", "Buyer": "kim", "Booked": "2026-10-01 08:00:00", "Gross": "10"}
    lines = [row | {"amount_refunded": 0}, row | {"No": "2", "amount_refunded": 2.5}]
    shop.deliver("orders.jsonl", "\n".join(map(json.dumps, lines)) + "\n")
    paste(shop.settings, shop.ingest("web").problem)
    assert not shop.ingest("web").problem
    assert shop.counting() == {"1"}


def test_rows_that_a_copy_marks_as_deleted_are_asked_about_in_any_table(house: House) -> None:
    tenant = Tenant(house.home)
    head = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions,_fivetran_deleted"
    rows = ["2026-10-01,a,Lamps,7.50,EUR,1,1,false", "2026-10-01,b,Bulbs,3.20,EUR,1,1,true"]
    tenant.deliver("spend.csv", "\n".join([head, *rows, ""]))
    problem = tenant.ingest().problem
    assert "by its column '_fivetran_deleted', which is not read, 1 of its 2 rows" in problem
    assert "may be deleted" in problem

    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign_id, cost") == {("a", "7.50")}
