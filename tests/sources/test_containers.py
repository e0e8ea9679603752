"""Containers and encodings: packed files, workbooks, arrays, UTF-16 give the rows of plain CSV."""

import gzip
import json
import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from openpyxl import Workbook

from tests.builders.spend_files import as_csv, as_jsonl, as_workbook
from tests.builders.tenant import SPEND, Tenant
from tests.conftest import House

ROWS = [
    ("2026-10-01", "one", 'A "quoted", name\nof two lines', "1.50", "EUR", "3", "100"),
    ("2026-10-01", "two", "Über 5 € für |alle|", "1e3", "EUR", None, "0"),
]


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def csv(folder: Path, delimiter: str = ",") -> bytes:
    as_csv(folder / "plain.csv", ROWS, delimiter)
    return (folder / "plain.csv").read_bytes()


def lines(folder: Path) -> bytes:
    as_jsonl(folder / "plain.jsonl", ROWS)
    return (folder / "plain.jsonl").read_bytes()


def array(folder: Path, indent: int | None = None) -> bytes:
    rows = list(map(json.loads, lines(folder).splitlines()))
    return json.dumps(rows, indent=indent).encode()


def objects(folder: Path) -> bytes:
    rows = map(json.loads, lines(folder).splitlines())
    return "\n".join(json.dumps(row, indent=2) for row in rows).encode()


def workbook(folder: Path) -> bytes:
    as_workbook(folder / "plain.xlsx", ROWS)
    return (folder / "plain.xlsx").read_bytes()


def archive(**files: bytes) -> bytes:
    """Return a ZIP archive with files, and what macOS adds."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in files.items():
            into.writestr(name.replace("__", "/").replace("_", "."), content)
        into.writestr("__MACOSX/._spend.csv", b"\0\1")
    return packed.getvalue()


def zstd(content: bytes) -> bytes:
    return pa.Codec("zstd").compress(content, asbytes=True)


FORMS = {
    "spend.tsv": lambda folder: csv(folder, "\t"),
    "spend.txt": lambda folder: csv(folder, ";"),
    "spend.TSV.gz": lambda folder: gzip.compress(csv(folder, "\t")),
    "spend.csv.zst": lambda folder: zstd(csv(folder)),
    "spend-frames.csv.zst": lambda folder: zstd(csv(folder)[:50]) + zstd(csv(folder)[50:]),
    "spend.jsonl.zst": lambda folder: zstd(lines(folder)),
    "spend.zip": lambda folder: archive(day_csv=csv(folder)),
    "spend.csv.zip": lambda folder: archive(in__a__folder_csv_gz=gzip.compress(csv(folder))),
    "spend-lines.zip": lambda folder: archive(day_jsonl=lines(folder)),
    "spend-book.zip": lambda folder: archive(book_xlsx=workbook(folder)),
    "spend.json": lines,
    "spend.ndjson": lines,
    "spend-array.json": array,
    "spend-array.jsonl": array,
    "spend-pretty.json": lambda folder: b"\xef\xbb\xbf" + array(folder, 2),
    "spend-objects.json": objects,
    "spend-array.json.gz": lambda folder: gzip.compress(array(folder)),
    "spend-utf-16.csv": lambda folder: csv(folder, "\t").decode().encode("utf-16"),
    "spend-utf-16-be.csv": lambda f: b"\xfe\xff" + csv(f).decode().encode("utf-16-be"),
    "spend-utf-32.csv.gz": lambda f: gzip.compress(csv(f).decode().encode("utf-32")),
    "spend-utf-16.jsonl": lambda folder: lines(folder).decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_packed_or_encoded_is_read_as_it_is(tenant: Tenant, name: str) -> None:
    tenant.deliver(name, FORMS[name](tenant.home))
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.read, outcome.counts.quarantined) == ("", 2, 0)
    assert tenant.log(", ".join(SPEND)) == ROWS
    assert not list((tenant.home / "lake").rglob("copies*"))


@pytest.mark.parametrize("name", ["spend.csv.zst", "spend.zip", "spend-array.json", "spend.xlsx"])
def test_half_of_one_is_refused_with_its_own_name(tenant: Tenant, name: str) -> None:
    whole = workbook(tenant.home) if name == "spend.xlsx" else FORMS[name](tenant.home)
    for size in (len(whole) // 2, len(whole) - 1):
        tenant.deliver(name, whole[:size])
        outcome = tenant.ingest()
        assert outcome.problem.startswith(f"{name}: ") and outcome.counts.appended == 0
    assert tenant.log("*") == []


HEADER = b"spend_date,campaign_id,campaign,cost,currency,clicks,impressions\n"


def test_the_files_of_an_archive_are_one_delivery(house: House) -> None:
    tenant = Tenant(house.home, delivery="full")
    row = b"2026-10-0%d,one,Brand,%d,EUR,1,1"
    first, second = HEADER + row % (1, 1), HEADER + row % (2, 2) + b"\n"
    tenant.deliver("spend.zip", archive(a_csv=first, b_csv=second))
    assert tenant.ingest().problem == ""
    assert tenant.newest("spend_date, cost") == {("2026-10-01", "1"), ("2026-10-02", "2")}


def test_a_part_without_a_row_and_a_line_end_is_none_of_the_next(tenant: Tenant) -> None:
    row = b"2026-10-01,one,Brand,1,EUR,1,1"
    tenant.deliver(
        "spend.zip", archive(a_csv=HEADER.strip(), b_csv=HEADER + row, c_csv=HEADER.strip())
    )
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.read, outcome.counts.quarantined) == ("", 1, 0)
    assert tenant.newest("campaign_id, impressions") == {("one", "1")}


@pytest.mark.parametrize(
    "files, said",
    [
        ({}, "no file is in it"),
        ({"a_csv": HEADER, "b_parquet": b"PAR1"}, "2 files are in it that cannot be put together"),
        ({"a_pdf": b"%PDF"}, "unknown format; what is read ends in .csv"),
        ({"a_csv": b""}, "what is packed in it is empty"),
    ],
)
def test_an_archive_of_something_else_is_refused(
    tenant: Tenant, files: dict[str, bytes], said: str
) -> None:
    tenant.deliver("spend.zip", archive(**files))
    assert said in tenant.ingest().problem


@pytest.mark.parametrize("name", ["spend.csv.zst", "spend.zip"])
def test_what_unpacks_to_too_much_is_refused(tenant: Tenant, name: str) -> None:
    tenant.settings.write_text(f"{tenant.settings.read_text()}limits: {{unpacked_mb: 1}}\n")
    many = HEADER + b"".join(b"2026-10-01,c-%d,Brand,1,EUR,1,1\n" % n for n in range(40_000))
    packed = archive(a_csv=many) if name.endswith("zip") else zstd(many)
    tenant.deliver(name, packed)
    problem = tenant.ingest().problem
    assert f"{name}: unpacked it is larger than 1 MB" in problem and "`unpacked_mb: 2`" in problem
    tenant.settings.write_text(tenant.settings.read_text().replace("_mb: 1}", "_mb: 500}"))
    zeros = b"0" * 200_000_000
    tenant.deliver(name, archive(a_csv=zeros) if name.endswith("zip") else zstd(zeros))
    assert "is more than 250 times as large" in tenant.ingest().problem


def test_cells_of_a_workbook_are_texts_as_they_are_shown(tenant: Tenant) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["spend_date", "campaign_id", "cost", "clicks", "impressions", "campaign"])
    sheet.append([date(2026, 10, 1), 21_000_000_001, 12.5, 3, 40, None])
    sheet.append([datetime(2026, 10, 2), "one", "1234,56", 4.0, 50, "Brand"])
    sheet.append([])
    sheet.append(["2026-10-03", 7, 1234.56, "1.234", 1_234, True])
    for cell in sheet["A"]:
        cell.number_format = "DD/MM/YYYY"
    sheet.cell(40, 9).number_format = "0.00"  # formatted, and empty
    book.save(tenant.exports / "spend.xlsx")
    tenant.setting('numbers: {decimal: ",", thousands: "."}')
    tenant.setting("table: Sheet")
    assert tenant.ingest().problem == ""
    assert tenant.newest("spend_date, campaign_id, cost, clicks, impressions, campaign") == {
        ("2026-10-01", "21000000001", "12.5", "3", "40", None),
        ("2026-10-02", "one", "1234.56", "4", "50", "Brand"),
        ("2026-10-03", "7", "1234.56", "1234", "1234", "true"),
    }


def test_a_number_that_excel_has_shortened_is_no_id(tenant: Tenant) -> None:
    ids = (120_211_000_000_000_130, 120_211_000_000_000_131)
    as_workbook(
        tenant.exports / "spend.xlsx",
        [("2026-10-01", each, "Brand", 1, "EUR", 1, 1) for each in ids],
    )
    assert "1.20211000000000E+17" in tenant.ingest().problem


def test_errors_of_a_workbook_are_nothing(tenant: Tenant) -> None:
    rows = [("2026-10-01", "one", "Brand", "#REF!", "EUR", 1, 1)]
    as_workbook(tenant.exports / "spend.xlsx", rows)
    assert "cost is missing (row 2)" in tenant.ingest().problem


def test_of_metas_two_sheets_the_raw_one_is_read(tenant: Tenant) -> None:
    book, content = Workbook(), BytesIO()
    for name, cost in (("Formatted Report", "1"), ("Raw Data Report", "2")):
        sheet = book.create_sheet(name)
        sheet.append(["Campaign name", "Day", "Amount spent (EUR)", "Impressions"])
        sheet.append(["Tents", "2026-10-01", cost, 9])
    book.save(content)
    settings = tenant.settings.read_text().replace("google_ads", "facebook_ads")
    settings = settings.replace("      table: spend\n", "      format: meta_ads_report\n")
    tenant.settings.write_text(settings)
    tenant.deliver("spend.xlsx", content.getvalue())

    assert tenant.ingest("facebook_ads").problem == ""
    assert tenant.log("cost", "facebook_ads") == [("2",)]


def test_two_sheets_that_could_be_read_are_asked_about(tenant: Tenant) -> None:
    book = Workbook()
    for name in ("north", "south"):
        sheet = book.create_sheet(name)
        sheet.append(SPEND)
        sheet.append(("2026-10-01", name, "Brand", 1, "EUR", 1, 1))
    book.save(tenant.exports / "spend.xlsx")
    assert "there is no sheet 'spend' in it" in tenant.ingest().problem
    tenant.settings.write_text(tenant.settings.read_text().replace("      table: spend\n", ""))
    problem = tenant.ingest().problem
    assert "2 sheets have the columns that are read" in problem
    assert "`table: north`" in problem and "`table: south`" in problem


ROW = "2026-10-01,one,{},1,EUR,1,1\n"


def test_an_encoding_is_read_as_it_is_named_and_utf_8_stays(tenant: Tenant) -> None:
    tenant.setting("encoding: windows-1252")
    texts = {"Größe, 5 €": "cp1252", "Länge, 6 €": "utf-8"}
    lines = [ROW.replace("one", each).format(f'"{text}"') for text, each in texts.items()]
    encoded = [line.encode(each) for line, each in zip(lines, texts.values())]
    tenant.deliver("spend.csv", HEADER + b"".join(encoded))
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign") == {(text,) for text in texts}


def test_a_byte_that_stands_for_nothing_is_named_with_its_line(tenant: Tenant) -> None:
    tenant.setting("encoding: cp1252")
    tenant.deliver(
        "spend.csv", HEADER + ROW.format("A").encode() + ROW.encode().replace(b"{}", b"\x81")
    )
    problem = tenant.ingest().problem
    assert "spend.csv: line 3 is not cp1252: the byte 0x81 is no letter there" in problem
