"""Lines that are no data, titles, totals and footers, are skipped, counted, and said; others are not."""

import gzip
import io
from collections.abc import Sequence
from datetime import date

import pytest
from openpyxl import Workbook

from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions"
ROWS = ["2026-10-01,c-1,Brand,10.50,EUR,5,100", "2026-10-02,c-2,Shop,20.00,EUR,6,200"]
TABLE = "\n".join([HEAD, *ROWS, ""])
KNOWN = {("2026-10-01", "10.50"), ("2026-10-02", "20.00")}


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client that takes no bad row."""
    return Tenant(house.home, limit=0)


def notes(tenant: Tenant) -> list[str]:
    """Ingest; return what is said of it, of which nothing is wrong."""
    outcome = tenant.ingest()
    assert outcome.problem == ""
    assert outcome.counts.read == outcome.counts.appended + outcome.counts.skipped
    assert tenant.newest("spend_date, cost") == KNOWN
    return outcome.status.notes


@pytest.mark.parametrize(
    ("above", "lines"),
    {
        "a title": ("Spend of all accounts", 1),
        "a title with names that are read": ("campaign\nspend_date,cost", 2),
        "a block of metadata": ("Report,Spend\nAccount,123-456\nPeriod,2026-10-01 - 2026-10-02", 3),
        "a title with one quote": ('Spend "brand', 1),
        "a title over two lines": ('"Spend\nof all",x', 2),
        "a title of another encoding": (b"Spend f\xfcr alle", 1),
        "what names the mark to Excel": ("sep=,", 1),
        "nothing but blank lines": ("\n \n", 0),
        "blank lines between": ("\nSpend\n\n", 1),
    }.values(),
)
def test_the_header_is_the_first_line_with_all_names(
    tenant: Tenant, above: str | bytes, lines: int
) -> None:
    titles = above if isinstance(above, bytes) else above.encode()
    tenant.deliver("spend.csv.gz", gzip.compress(titles + b"\n" + TABLE.encode()))
    counted = "1 line" if lines == 1 else f"{lines} lines"
    said = [f"spend.csv.gz: skipped {counted} before the header: titles"]
    assert notes(tenant) == (said if lines else [])
    assert tenant.log("rows_skipped, rows_read", table="exports") == [(lines, lines + 2)]


def test_lines_of_bad_rows_are_those_of_the_file_below_titles(house: House) -> None:
    tenant = Tenant(house.home, limit=0.5)
    tenant.deliver("spend.csv", f"Spend\n\n{TABLE}2026-10-03,x,Brand,?,EUR,1,1\n")
    assert tenant.ingest().counts.quarantined == 1
    assert [line for _, line, _, _ in tenant.quarantine()] == [6]


@pytest.mark.parametrize(
    "above",
    {
        "rows of a table as wide": "day,ad,clicks,views,reach,likes,x\n2026-10-01,7,8,9,1,2,3",
        "rows of the same with a column less": f"{HEAD.rpartition(',')[0]}\n2026-10-01,c-1,B,1,EUR,1",
    }.values(),
)
def test_rows_above_the_header_are_asked_about(tenant: Tenant, above: str) -> None:
    tenant.deliver("spend.csv", f"{above}\n{TABLE}")
    assert "line 2 above it may be rows" in tenant.ingest().problem


@pytest.mark.parametrize(
    ("rows", "count"),
    {
        "a word for a day": ([*ROWS, "Total: Account, --, --,30.50,EUR,11,300"], 1),
        "two, of which one is of a part": (
            [*ROWS, "Total: Search,--,--,10.50,EUR,5,100", "Total: Account,,,30.50,EUR,11,300"],
            2,
        ),
        "the first row": (["Gesamt,,,30.50,EUR,11,300", *ROWS], 1),
        "by no word, but by its cost": ([",,,30.50,,11,299", *ROWS], 1),
        "on a day": ([*ROWS, "2026-10-02,Total,,30.50,EUR,11,300"], 1),
        "by currency": ([*ROWS, "Total,,,30.50,EUR,11,300", "Total,,,0,USD,0,0"], 2),
    }.values(),
)
def test_totals_are_skipped(tenant: Tenant, rows: list[str], count: int) -> None:
    tenant.deliver("spend.csv", "\n".join([HEAD, *rows, ""]))
    assert notes(tenant) == [
        f"spend.csv: skipped {count} {'lines' if count > 1 else 'line'}: totals"
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    {
        "a word on a day": ("2026-10-02,Total,,31.50,EUR,11,300", "called like a sum"),
        "no word, another cost": (",,,31.50,EUR,11,300", "spend_date is missing (line 4)"),
        "a torn row": ("2026-10-03,c-3,Bra\n", "a line has 3 values, the header has 7"),
    }.values(),
)
def test_what_is_less_sure_is_asked_about(tenant: Tenant, row: str, said: str) -> None:
    tenant.deliver("spend.csv", f"{TABLE}{row}\n")
    assert said in tenant.ingest().problem


def test_a_campaign_that_begins_with_a_word_for_totals_is_none(tenant: Tenant) -> None:
    tenant.deliver("spend.csv", f"{TABLE}2026-10-02,c-3,Total Fitness,30.50,EUR,11,300\n")
    assert tenant.ingest().counts.appended == 3


FOOTER = 'Copyright (c) 2026 Nova\n"Confidential, for our eyes"\nNova Ltd'


@pytest.mark.parametrize(
    ("below", "lines"),
    {
        "below blank lines": (f"\n\n{FOOTER}\n", 3),
        "at once": (f"{FOOTER}\n", 3),
        "with no end": (f"\n{FOOTER}", 3),
        "of pairs": ("\nRows:,2\nFiltered by,all\n", 2),
        "longer than the data": ("\n" + "Filter: cost > 0\n" * 40, 40),
        "with a total above": (f"Total,,,30.50,EUR,11,300\n{FOOTER}\n", 4),
        "of empty rows": (",,,,,,\n,,,,,,\n", 2),
    }.values(),
)
def test_a_footer_is_skipped(tenant: Tenant, below: str, lines: int) -> None:
    tenant.deliver("spend.csv", f"{TABLE}{below}")
    assert "skipped" in notes(tenant)[-1]
    assert tenant.log("rows_skipped, rows_quarantined", table="exports") == [(lines, 0)]


@pytest.mark.parametrize(
    "end", ["2026-10-03,c-3", "2026-1", "2026-10-03,c-3\n", "\n2026-10", '2026-10-03,"Nova']
)
def test_a_row_in_which_a_file_was_cut_is_no_footer(house: House, end: str) -> None:
    tenant = Tenant(house.home, limit=0.5)
    tenant.deliver("spend.csv", f"{TABLE}{end}")
    assert tenant.ingest().counts[4:] == (1, 0, 0)


def test_footers_between_files_that_were_joined_are_skipped(tenant: Tenant) -> None:
    first, second = (f"Spend\n{HEAD}\n{row}\n\n{FOOTER}\n" for row in ROWS)
    tenant.deliver("spend.csv", first + second)
    assert notes(tenant)[-1] == "spend.csv: skipped 7 lines: footer"


def test_a_sheet_and_utf_16_are_read_alike(tenant: Tenant) -> None:
    book = Workbook()
    book.worksheets[0].title = "spend"
    table: list[Sequence[object]] = [["Spend"], [], HEAD.split(",")]
    table += [[date(2026, 10, 1), "c-1", "Brand", "10.50", "EUR", 5, 100]]
    table += [[date(2026, 10, 2), "c-2", "Shop", "20.00", "EUR", 6, 200]]
    for row in [*table, ["Total", None, None, 30.5, None, 11, 300], [], ["Nova Ltd"]]:
        book.worksheets[0].append(row)
    book.save(file := io.BytesIO())
    tenant.deliver("spend.xlsx", file.getvalue())
    assert notes(tenant)[1:] == [
        "spend.xlsx: skipped 1 row: totals",
        "spend.xlsx: skipped 1 row: footer",
    ]
    text = f"Spend\n{TABLE}Total,,,30.50,EUR,11,300\n\nNova Ltd\n"
    tenant.deliver("spend-2.csv", text.replace(",", "\t").encode("utf-16"))
    assert tenant.ingest().counts.skipped == 3


def test_an_empty_report_is_empty_and_a_full_one_is_held(house: House) -> None:
    tenant = Tenant(house.home, limit=0, delivery="full")
    empty = f"{HEAD}\nTotal,,,0.00,EUR,0,0\n"
    tenant.deliver("spend-1.csv", empty)
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts[:2]) == ("", (1, 0))
    tenant.deliver("spend-2.csv", TABLE)
    assert tenant.ingest().counts.appended == 2
    tenant.deliver("spend-3.csv", empty)
    assert "it has none of the 2 known rows" in tenant.ingest().problem


def test_a_footer_is_no_row_of_a_table_in_which_one_value_makes_one(house: House) -> None:
    tenant = Tenant(house.home, limit=0)
    contacts = {
        "files": "exports/one/people*",
        "expected_every": "never",
        "columns": {"name": None},
    }
    house.change("one", sources={"salesforce": {"contacts": contacts}})
    tenant.deliver(
        "deals.csv", "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency,opened_at\n"
    )
    people = "".join(f"k-{number},a-1,,\n" for number in range(3))
    tenant.deliver(
        "people.csv", f"contact_id,account_id,email,created_at\n{people}For our eyes only,,,\n"
    )
    outcome = tenant.ingest("salesforce")
    assert (outcome.problem, outcome.counts.appended, outcome.counts.skipped) == ("", 3, 1)


def test_lines_are_skipped_by_how_they_begin(tenant: Tenant) -> None:
    tenant.setting("skip: [nova, preliminary]")
    days = [f"2026-10-0{day},c-1,Brand,1,EUR,1,1" for day in (1, 2, 3)]
    tenant.deliver(
        "spend.csv", "\n".join([HEAD, days[0], '"Nova, Ltd"', *days[1:], "Preliminary", ""])
    )
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.appended) == ("", 3)
    assert outcome.status.notes == ["spend.csv: skipped 2 lines: `skip:`"]
