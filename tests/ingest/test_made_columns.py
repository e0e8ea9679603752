"""A column of ours may be made by SQL of an export's own: a total less its fee, a stage that says so."""

from pathlib import Path

import pytest
import yaml

from pipelines.settings.column_expressions import is_expression, read_expression
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


class Till(Tenant):
    """A client that exports receipts as conversions."""

    def __init__(self, home: Path, columns: dict[str, object], **export: object) -> None:
        super().__init__(home)
        receipts = {"files": "exports/one/receipts*", "columns": MAPPED | columns}
        self.settings.write_text(
            yaml.safe_dump(
                {
                    "name": "one",
                    "currency": "EUR",
                    "sources": {"web": {"conversions": receipts | export}},
                }
            )
        )

    def receipts(self, *rows: str, head: str = "No,Buyer,Booked,Gross,Fee") -> None:
        """Deliver receipts in a CSV file."""
        self.deliver("receipts.csv", "\n".join([head, *rows]) + "\n")

    def column(self, name: str) -> list[str | None]:
        """Return a column as it was loaded."""
        return [value for (value,) in self.log(name, "web", "conversions")]


@pytest.mark.parametrize(
    ("name", "is_sql"),
    [
        ("Gross (EUR)", False),
        ("Booked date", False),
        ("Net-Gross", False),
        ("Fee / unit.", False),
        ('it\'s "a" name', False),
        ("order.id", False),
        ("Sum(EUR) - net", False),
        ("Gross - Fee", True),
        ('"Gross"', True),
        ("LOWER(Buyer)", True),
        ("Kind = 'sale'", True),
        ("'EUR'", True),
        ("12", True),
    ],
)
def test_sql_is_told_from_a_name_by_how_it_is_written(name: str, is_sql: bool) -> None:
    assert is_expression(name) == is_sql


@pytest.mark.parametrize(
    ("sql", "row", "revenue"),
    [
        ('Gross - "Fee"', "100.10,30.05", "70.05"),
        ("Gross - COALESCE(Fee, 0)", "100.10,", "100.1"),
        ("CASE WHEN Fee > 50 THEN 0 ELSE Gross END", "100.10,50.5", "0"),
        ("Gross * 0.5", "1.25,", "0.625"),
        ("SPLIT_PART(Fee, ' ', 1)", "5,7.50 net", "7.50"),
        (12, "5,7.50", "12"),
        ("Gross - Fee", '"€1,250.00",€0.25', "1249.75"),
        ("Gross + Fee", "10.00 EUR,(2.50)", "7.5"),
    ],
)
def test_numbers_are_reckoned_to_the_cent(
    house: House, sql: object, row: str, revenue: str
) -> None:
    till = Till(house.home, {"revenue": sql})
    till.receipts(f"7,kim,2026-10-01 08:00,{row}")
    assert not till.ingest("web").problem
    assert till.column("revenue") == [revenue]


def test_numbers_and_days_are_read_as_the_export_writes_them(house: House) -> None:
    made = {
        "revenue": "Gross - Fee",
        "converted_at": "CASE WHEN Booked < '2.10.2026' THEN Booked ELSE '2026-10-09' END",
    }
    till = Till(house.home, made, date_format="%m/%d/%Y", unit={"revenue": "cents"})
    till.receipts(
        "7;kim;10/1/2026;1.250,50;0,5",
        "8;kim;10/3/2026;800;0",
        head="No;Buyer;Booked;Gross;Fee",
    )
    assert not till.ingest("web").problem
    assert till.column("revenue") == ["12.5", "8"]
    assert till.column("converted_at") == ["2026-10-01", "2026-10-09"]


def test_texts_flags_and_constants_are_made(house: House) -> None:
    made = {
        "customer_id": "CONCAT(LOWER(Buyer), '-', COALESCE(Fee, 'none'))",
        "currency": "'EUR'",
        "conversion_id": "'r' || No",
    }
    till = Till(house.home, made)
    till.receipts("7,KIM,2026-10-01,5,n/a")
    till.settings.write_text(f"{till.settings.read_text()}\nnothing: [n/a]\n")
    assert not till.ingest("web").problem
    assert till.log("customer_id, currency, conversion_id", "web", "conversions") == [
        ("kim-none", "EUR", "r7")
    ]


def test_a_column_that_is_called_like_the_sql_comes_first(house: House) -> None:
    till = Till(house.home, {"revenue": "Gross - Fee"})
    till.receipts("7,kim,2026-10-01,10,1,8.50", head="No,Buyer,Booked,Gross,Fee,Gross - Fee")
    assert not till.ingest("web").problem
    assert till.column("revenue") == ["8.50"]


@pytest.mark.parametrize(
    ("gross", "fee", "said"),
    [
        ("10", "some", "revenue is made of Fee, and 'some' is no number"),
        ("10", "$1.00", "Fee '$1.00' is in another currency"),
        ("10", "", "revenue comes to nothing, as a number that Gross - Fee reckons with is empty"),
    ],
)
def test_a_value_that_decides_and_cannot_be_read_makes_its_row_bad(
    house: House, gross: str, fee: str, said: str
) -> None:
    till = Till(house.home, {"revenue": "Gross - Fee"})
    others = [f"{number},kim,2026-10-01,10,1" for number in range(30)]
    till.receipts(*others, f"99,kim,2026-10-01,{gross},{fee}")
    House(till.home).change("one", quality={"quarantine_limit": 0})
    assert f"1 of 31 rows are bad: {said} (line 32)" in till.ingest("web").problem


def test_a_column_that_it_lacks_is_named_with_the_line_that_reads_it(house: House) -> None:
    till = Till(house.home, {"revenue": 'Gross - COALESCE("Fees", 0)'})
    till.receipts("7,kim,2026-10-01,10,4")
    problem = till.ingest("web").problem
    assert "missing column Fees (for revenue)" in problem
    paste(till.settings, problem)
    assert not till.ingest("web").problem
    assert till.column("revenue") == ["6"]


@pytest.mark.parametrize(
    ("column", "sql", "said"),
    [
        ("revenue", 'COALESC("Gross", 0)', "did you mean COALESCE?"),
        ("revenue", 'SUM("Gross")', "there is no function SUM"),
        ("revenue", "Buyer = 'kim'", "not a number"),
        ("customer_id", "(SELECT 'x')", "SUBQUERY is not allowed"),
        ("customer_id", "\"Buyer\" || read_text('x')", "there is no function read_text"),
    ],
)
def test_what_is_no_sql_for_a_column_is_refused_at_the_door(
    house: House, column: str, sql: str, said: str
) -> None:
    Till(house.home, {column: sql})
    assert said in str(read()[1])


def test_sql_that_comes_to_a_flag_says_what_it_is_of_nothing() -> None:
    made = read_expression("Stage = 'won'", "flag")
    assert made.is_flag and not made.is_number and not made.values
