"""Refusals: what each says to do is done to the letter, and the numbers are right then."""

import gzip
import re
import shlex
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered, of whose rows none may be bad."""
    return Tenant(house.home, limit=0)


def columns(tenant: Tenant, mapping: str) -> None:
    """Map columns in the client's file."""
    text = tenant.settings.read_text()
    tenant.settings.write_text(
        text.replace("table: spend", f"table: spend\n      columns: {mapping}")
    )


def sums(tenant: Tenant) -> tuple[Decimal, int, int]:
    """Return the cost, clicks and impressions that staging reads."""
    rows = tenant.newest("campaign_id, spend_date, cost, clicks, impressions")
    return (
        sum((Decimal(cost) for _, _, cost, _, _ in rows), Decimal(0)),
        sum(int(float(clicks)) for *_, clicks, _ in rows),
        sum(int(float(impressions)) for *_, impressions in rows),
    )


SPELLINGS = {
    "commas between thousands": ('"1,234.56",61,"12,345"', "980.10,7,402", 0),
    "German": ('"1.234,56",61,"12.345"', '"980,10",7,402', 0),
    "German without decimals": ("1.235,61,12.345", "980,7,402", 0),
    "French": ('"1\u202f234,56",61,"12\u202f345"', '"980,10",7,402', 0),
    "blanks and points": ("1 234.56,61,12 345", "980.10,7,402", 0),
    "Swiss": ("1'234.56,61,12\u2019345", "980.10,7,402", 0),
    "Indian": ('"12,34,567.50",61,"12,345"', "980.10,7,402", 0),
    "a comma that is of thousands": ('"1,235",61,12345', "980,7,402", 0),
    "a comma that is of decimals": ('"1,235",61,12345', "980,7,402", 1),
    "a point that is of thousands": ("1.235,61,12345", "980,7,402", 0),
    "a point that is of decimals": ("1.235,61,12345", "980,7,402", 1),
}
COSTS = {
    "German without decimals": "2215",
    "Indian": "1235547.60",
    "a comma that is of thousands": "2215",
    "a comma that is of decimals": "981.235",
    "a point that is of thousands": "2215",
    "a point that is of decimals": "981.235",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_numbers_are_read_as_they_are_written_or_as_the_line_to_paste_says(
    tenant: Tenant, spelling: str
) -> None:
    first, second, choice = SPELLINGS[spelling]
    columns(tenant, "{currency: null, campaign: null}")
    tenant.deliver(
        "spend.csv",
        "spend_date,campaign_id,cost,clicks,impressions\n"
        f"2026-10-01,one,{first}\n2026-10-02,two,{second}\n",
    )
    outcome = tenant.ingest()
    if "that is of" in spelling:
        problem = outcome.problem
        assert "under sources.google_ads.spend: `numbers: {" in problem
        assert "deliver it again" not in problem.lower() and "quarantine_limit" not in problem
        assert tenant.log("*") == []
        paste(tenant.settings, problem, choice)
        assert tenant.ingest().problem == ""
    else:
        assert outcome.problem == ""
        assert "they allow no other reading" in outcome.status.notes[0]
    assert sums(tenant) == (Decimal(COSTS.get(spelling, "2214.66")), 68, 12747)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    "name, cost",
    [
        ("amountCents", 123_456),
        ("costcents", 123_456),
        ("microamount", 1_234_560_000),
        ("cost_pence", 123_456),
        ("cost_\u00b5", 1_234_560_000),
    ],
)
def test_a_unit_is_asked_for_by_the_name_of_a_column(
    tenant: Tenant, form: str, name: str, cost: int
) -> None:
    columns(tenant, f"{{currency: null, campaign: null, cost: {name}}}")
    row = {
        "spend_date": "2026-10-01",
        "campaign_id": "1",
        name: cost,
        "clicks": 5,
        "impressions": 9,
    }
    table = pa.table({key: [value] for key, value in row.items()})
    if form == "parquet":
        pyarrow.parquet.write_table(table, tenant.exports / "spend.parquet")
    else:
        tenant.deliver("spend.csv", f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    problem = tenant.ingest().problem
    assert f"cost is read from {name}, but nothing says in which unit it counts" in problem
    before = tenant.settings.read_text()
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal("1234.56"), 5, 9)
    tenant.settings.write_text(before)
    paste(tenant.settings, problem, choice=1)
    tenant.deliver("spend-2.csv", f"{','.join(row)}\n2026-10-02,1,{cost},5,9\n")
    assert tenant.ingest().problem == ""
    assert (str(cost),) in tenant.newest("cost")


@pytest.mark.parametrize(
    "head, mapping",
    {
        "marks and capitals": (HEAD.upper().replace("_", "-"), "{}"),
        "marks between words": (HEAD.replace("_", "."), "{}"),
        "names nearly those mapped": (
            "Day,Campaign Id,Campaign,Amount spent (EUR),Currency,Clicks,Impr.",
            "{spend_date: Day, campaign_id: Campaign ID, campaign: Campaign, cost: Amount spent,"
            " currency: Currency, clicks: Clicks, impressions: Impr.}",
        ),
        "a name that YAML reads otherwise": (
            "Day,no,Campaign,Cost: all,Currency,Clicks,#Impr",
            "{spend_date: Day, campaign_id: 'No', campaign: Campaign, cost: 'cost, all',"
            " currency: Currency, clicks: Clicks, impressions: 'impr'}",
        ),
    }.values(),
)
def test_near_names_are_proposed(tenant: Tenant, head: str, mapping: str) -> None:
    columns(tenant, mapping)
    tenant.deliver("spend.csv", f"{head}\n2026-10-01,one,Brand,12.50,EUR,3,40\n")
    problem = tenant.ingest().problem
    assert "spend.csv: missing column " in problem
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal("12.50"), 3, 40)


def test_a_limit_is_a_remedy_where_few_rows_are_bad(tenant: Tenant) -> None:
    good = "".join(f"2026-10-01,c{number},Brand,1,EUR,1,1\n" for number in range(30))
    tenant.deliver(
        "spend.csv", f"{HEAD}\n{good}2026-10-32,y,,30,EUR,30,30\n2026-10-01,x,Brand,?,EUR,1,1\n"
    )
    problem = tenant.ingest().problem
    assert problem.startswith(
        "spend.csv: 2 of 32 rows are bad: spend_date '2026-10-32' is no date (line 32);"
        " cost '?' is no money (line 33)."
    )
    paste(tenant.settings, problem)
    assert tenant.ingest().counts.quarantined == 2
    assert sums(tenant) == (Decimal(30), 30, 30)


def test_few_sums_are_left_out_by_a_condition_and_the_rest_by_a_limit(tenant: Tenant) -> None:
    """A limit that lets the sums of a long file pass refuses a short one tomorrow."""
    good = "".join(f"2026-10-01,c{number},Brand,1,EUR,1,1\n" for number in range(30))
    tenant.deliver("spend-1.csv", f"{HEAD}\n{good}Others,--,,7,EUR,7,7\n")
    problem = tenant.ingest().problem
    assert "quarantine_limit" not in problem
    paste(tenant.settings, problem)
    tenant.deliver("spend-2.csv", f"{HEAD}\n2026-10-02,a,Brand,1,EUR,1,1\nOthers,--,,7,EUR,1,1\n")
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal(31), 31, 31)
    tenant.deliver("spend-3.csv", f"{HEAD}\n{good}Others,,,7,EUR,30,30\n2026-10-03,x,B,?,EUR,1,1\n")
    problem = tenant.ingest().problem
    paste(tenant.settings, problem)
    assert tenant.ingest().counts.quarantined == 1
    assert sums(tenant) == (Decimal(31), 31, 31)


FORMS = {
    "another date": "11/3/2026,x,B,1,EUR,1,1",
    "a date with a zone": "3 Nov 2026 11:00 CET,x,B,1,EUR,1,1",
    "an epoch": "1793527200,x,B,1,EUR,1,1",
    "another currency": "2026-10-01,x,B,1,USD,1,1",
    "another encoding": b"2026-10-01,x,Stra\xdfe,1,EUR,1,1",
}


@pytest.mark.parametrize("row", FORMS.values(), ids=FORMS)
def test_no_limit_is_told_for_what_is_written_otherwise(tenant: Tenant, row: str | bytes) -> None:
    """The rows are there, and would be lost."""
    good = "".join(f"2026-10-01,c{number},Brand,1,EUR,1,1\n" for number in range(30))
    end = row if isinstance(row, bytes) else row.encode()
    tenant.deliver("spend.csv", f"{HEAD}\n{good}".encode() + end + b"\n")
    problem = tenant.ingest().problem
    assert "1 of 31 rows are bad" in problem and "quarantine" not in problem


@pytest.mark.parametrize("limit", ["0", "0.9", "1"])
@pytest.mark.parametrize(
    "rows, said",
    {
        "all are bad": (["2026-10-01,a,B,many,EUR,1,1"], "cost 'many' is no money (line 2)"),
        "they are written in two ways": (
            ['2026-10-01,a,B,"1,010.00",EUR,1,1', '2026-10-01,b,B,"980,00",EUR,1,1'],
            "a point stands before the decimals of '1,010.00', and a comma before those of '980,00'",
        ),
    }.values(),
)
def test_no_limit_lets_a_format_pass(house: House, limit: str, rows: list[str], said: str) -> None:
    tenant = Tenant(house.home, limit=float(limit))
    tenant.deliver("spend.csv", "\n".join([HEAD, *rows, ""]))
    problem = tenant.ingest().problem
    assert said in problem.replace(". A point", ". a point") and "limit" not in problem
    assert tenant.log("*") == []


def test_every_kind_of_fault_is_said_the_most_frequent_first(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.csv",
        f"{HEAD}\nNov 32,a,B,1,EUR,1,1\nNov 33,a,B,1,EUR,n,1\n2026-11-05,a,B,x,USD,1,1\n"
        "2026-11-06,,B,y,EUR,1,1\nNov 34,a,B,1,EUR,1,1\n2026-11-07,short\n",
    )
    assert tenant.ingest().problem == (
        "spend.csv: 6 of 6 rows are bad: spend_date 'Nov 32' is no date (3 rows, the first in"
        " line 2); cost 'x' is no money (2 rows, the first in line 4); clicks 'n' is no integer"
        " (line 3); currency USD, the client has EUR: deliver sources.rates (line 4); campaign_id is"
        " missing (line 5); a line has 2 values, the header has 7: '2026-11-07,short' (line 7). Days"
        " are read as 2026-11-03, 3.11.2026, Nov 3, 2026, or 20261103. Amounts are read as 1234.56,"
        " 1.234,56, 1 234,56 €, (1,234.56) or USD 1'234.50, all of a file in one way."
        " Counts are read as 1234, without decimals. What is in another currency than the client's"
        " needs a file of rates, of rate_date,currency,rate such as 2026-01-01,USD,0.91 (what"
        " one unit is worth in EUR). A row without what every row needs is mostly a sum or a note:"
        " leave out what is no data. A line has as many values as the header, empty ones too; leave"
        " out lines that are titles, sums or notes. To read it, write in clients/one.yaml under"
        " sources: `rates: {rates: {files: 'exports/one/rates*'}}`; and under"
        ' sources.google_ads.spend: `where: ("campaign_id" IS NOT NULL)` if rows without'
        " campaign_id are sums or notes"
    )


SUMS = {
    "a word for nothing": ("2026-10-01,1,Brand,5,EUR,1,1", "Other accounts, --,--,7,EUR,1,1"),
    "an empty key": ("2026-10-01,1,Brand,5,EUR,1,1", ",,,7,EUR,1,1"),
    "several": (
        "2026-10-01,1,Brand,3,EUR,1,1",
        "2026-10-02,1,Brand,2,EUR,0,0",
        "2026-10-02,2,Brand,0,EUR,0,0",
        "Others: Brand,n/a,,7,EUR,1,1",
        "Others,,,7,EUR,1,1",
    ),
    "thousands, too": ('2026-10-01,1,Brand,"1,005.00",EUR,1,1', 'Others, --,,"1,007.00",EUR,1,1'),
}


@pytest.mark.parametrize("rows", SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("where", ["", "clicks < 1000"])
def test_sums_are_left_out_by_the_condition_that_is_told(
    tenant: Tenant, rows: tuple[str, ...], where: str
) -> None:
    if where:
        tenant.setting(f"where: {where}")
    tenant.deliver("spend.csv", "\n".join([HEAD, *rows, ""]))
    problem = tenant.ingest().problem
    assert re.search("if rows without (campaign_id|spend_date) are sums or notes", problem)
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert sums(tenant)[0] % 1000 == 5


@pytest.mark.parametrize("name", ["Campaign\u2060ID", "Campaign\u200b ID"])
def test_a_name_with_blanks_that_no_line_shows_can_be_pasted(tenant: Tenant, name: str) -> None:
    columns(tenant, "{campaign_id: Campaign ID}")
    head = HEAD.replace("campaign_id", name)
    tenant.deliver("spend.csv", f"{head}\n2026-10-01,1,Brand,5,EUR,1,1\n")
    paste(tenant.settings, tenant.ingest().problem)
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (5, 1, 1)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    "name",
    ["Cost\tnet", "Cost\nnet", "Cost\r\nnet", 'Cost "net"', "Cost: net", "# cost", " Cost", "a`cost`", "Cost\a"],
)  # fmt: skip
def test_a_column_of_any_name_is_mapped_by_the_line_that_is_told(
    tenant: Tenant, form: str, name: str
) -> None:
    columns(tenant, "{cost: Costs, campaign: null, currency: null}")
    row = {"spend_date": "2026-10-01", "campaign_id": "1", "clicks": "2", "impressions": "3"}
    row = {name: "1.50"} | row
    if form == "parquet":
        table = pa.table({key: [value] for key, value in row.items()})
        pyarrow.parquet.write_table(table, tenant.exports / "spend.parquet")
    else:
        quoted = ['"' + key.replace('"', '""') + '"' for key in row]
        tenant.deliver("spend.csv", f"{','.join(quoted)}\r\n{','.join(row.values())}\r\n")
    problem = tenant.ingest().problem
    if "row_lines" in problem:
        paste(tenant.settings, problem)
        problem = tenant.ingest().problem
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal("1.50"), 2, 3)


@pytest.mark.parametrize("behind, between", [(b"\0" * 700, b""), (b"\0", b""), (b"", b"\0" * 30)])
def test_packed_files_with_zeros_are_unpacked_as_is_told(
    tenant: Tenant, behind: bytes, between: bytes
) -> None:
    rows = [f"{HEAD}\n2026-10-01,a,B,1,EUR,2,3\n", "2026-10-02,a,B,1,EUR,2,3\n"]
    packed = between.join(gzip.compress(part.encode()) for part in rows) + behind
    path = tenant.deliver("spend.csv.gz", packed)
    problem = tenant.ingest().problem
    assert "`python3 -m gzip -d spend.csv.gz` unpacks it" in problem and "again" not in problem
    subprocess.run([sys.executable, "-m", "gzip", "-d", path.name], cwd=tenant.exports, check=True)
    path.unlink()
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (2, 4, 6)


@pytest.mark.parametrize(
    "content, said",
    {
        "a page": ("<html><body>Please log in</body></html>\n", "a login or an error page"),
        "rows without a header": ("2026-10-01,a,B,1,EUR,1,1\n" * 3, "it has 1, 2026-10-01, B, EUR"),
        "blanks": ("\n \n", "it has none"),
    }.values(),
)
def test_no_line_is_told_for_what_it_does_not_read(tenant: Tenant, content: str, said: str) -> None:
    tenant.deliver("spend.csv", content)
    problem = tenant.ingest().problem
    assert said in problem and "write in clients/" not in problem


def test_one_fault_of_many_lines_is_said_once(tenant: Tenant) -> None:
    row = '2026-10-0{},a,"B \\"DE\\" x",1,EUR,1,1'
    tenant.deliver("spend.csv", "\n".join([HEAD, *map(row.format, range(1, 9)), ""]))
    problem = tenant.ingest().problem
    assert "8 of 8 rows are bad: a quote opens in line 2 and none closes it" in problem
    assert "(8 rows, the first in line 2)" in problem and "in line 3" not in problem


def test_what_most_rows_lack_makes_no_sums_of_them(tenant: Tenant) -> None:
    tenant.deliver("spend.csv", f"{HEAD}\n2026-10-01,1,B,,EUR,1,1\n2026-10-02,1,B,,EUR,1,1\n")
    problem = tenant.ingest().problem
    assert "cost is missing (2 rows" in problem and "sum or a note" not in problem
    assert "name that under `columns:`" in problem


def test_rows_without_a_key_that_are_most_are_no_sums(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.csv", f"{HEAD}\n2026-10-01,1,B,5,EUR,1,1\n" + "2026-10-01,,B,5,EUR,1,1\n" * 2
    )
    assert "where:" not in tenant.ingest().problem


@pytest.mark.parametrize("place", ["header", "row"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_another_encoding_is_named_with_the_line_that_reads_it(
    tenant: Tenant, place: str, encoding: str
) -> None:
    columns(tenant, "{campaign: Straße}")
    name = "Straße" if place == "header" else "Strasse"
    if name == "Strasse":
        tenant.settings.write_text(tenant.settings.read_text().replace("Straße", "Strasse"))
    head = HEAD.replace("campaign,", f"{name},")
    content = f"{head}\n2026-10-01,one,Grüße an alle 5 €,12.50,EUR,3,40\n".encode(encoding)
    tenant.deliver("spend.csv", content)
    problem = tenant.ingest().problem
    assert f"`encoding: {encoding}`" in problem
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign, cost") == {("Grüße an alle 5 €", "12.50")}


def test_lines_of_another_encoding_are_read_among_others_as_they_are(tenant: Tenant) -> None:
    row = "2026-10-0{},one,{},12.50,EUR,3,40\n"
    content = f"{HEAD}\n{row.format(1, 'Größe')}".encode() + row.format(2, "Länge").encode("cp1252")
    tenant.deliver("spend.csv", content)
    problem = tenant.ingest().problem
    assert "(line 3). Other lines are UTF-8, as 'Größe': two programs wrote this file" in problem
    paste(tenant.settings, problem)
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign") == {("Größe",), ("Länge",)}


@pytest.mark.parametrize(
    "file, content, said",
    {
        "an old workbook": ("spend.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx or as CSV UTF-8"),
        "a workbook that is called CSV": (
            "spend.csv",
            b"PK\x03\x04\xff",
            "Excel workbook or a ZIP",
        ),
        "bzip2": ("spend.csv.bz2", b"BZh", "`bunzip2` unpacks it"),
        "gzip that is called CSV": ("spend.csv", gzip.compress(b"a", mtime=0), "give its name .gz"),
        "gzip twice": (
            "spend.csv.gz",
            gzip.compress(gzip.compress(b"a", mtime=0), mtime=0),
            "it is compressed twice: unpack it once",
        ),
        "an archive that is called gzip": ("spend.csv.gz", b"PK\x03\x04", "or a ZIP archive"),
        "text that is called gzip": ("spend.csv.gz", b"spend_date,", "call it spend.csv"),
        "an archive": ("spend.7z", b"7z", "`7z x` unpacks it"),
        "gzip of nobody knows what": (
            "spend.gz",
            gzip.compress(b"a", mtime=0),
            "call it .csv.gz or",
        ),
        "a page": ("spend.csv", b"<!DOCTYPE html>\xff", "a login or an error page"),
    }.values(),
)
def test_a_file_of_another_kind_is_named(
    tenant: Tenant, file: str, content: bytes, said: str
) -> None:
    tenant.deliver(file, content)
    problem = tenant.ingest().problem
    assert problem.startswith(f"{file}: ") and said in problem
    assert "deliver it again" not in problem.lower()


@pytest.mark.parametrize(
    "head, mark",
    [
        (f"{HEAD};x", ","),
        ("spend_date;campaign_id;campaign;cost;currency;clicks;a, b, c, d, e, f, g", ";"),
    ],
)
def test_of_delimiters_the_one_counts_that_finds_mapped_names(
    tenant: Tenant, head: str, mark: str
) -> None:
    name = head.split(mark)[-1]
    columns(tenant, f"{{impressions: {shlex.quote(name)}}}")
    row = mark.join(["2026-10-01", "one", "Brand", "12.50", "EUR", "3", "40"])
    tenant.deliver("spend.csv", f"{head}\n{row}\n")
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal("12.50"), 3, 40)


def test_a_column_that_is_there_twice_matters_if_it_is_read(tenant: Tenant) -> None:
    row = "2026-10-01,one,Brand,12.50,EUR,3,40"
    tenant.deliver("spend.csv", f"{HEAD},Results,Results\n{row},1,2\n")
    assert tenant.ingest().problem == ""
    assert sums(tenant) == (Decimal("12.50"), 3, 40)
    tenant.deliver("spend.csv", f"{HEAD},cost\n{row},1\n")
    assert "column cost is there twice, and it is read" in tenant.ingest().problem


def test_a_long_header_and_a_long_value_do_not_flood_a_message(tenant: Tenant) -> None:
    others = [f"metric_{number}_{'x' * 500}" for number in range(300)]
    tenant.deliver("spend.csv", ",".join(others) + "\n")
    problem = tenant.ingest().problem
    assert " and 260 others. Name under `columns:`" in problem
    assert len(problem) < 5000
    tenant.deliver("spend.csv", f"{HEAD}\n2026-10-01,one,Brand,{'9' * 5000},EUR,3,40\n")
    assert f"cost '{'9' * 80}…' is no money (line 2)" in tenant.ingest().problem
    kept = list((tenant.home / "lake/one/_refused").rglob("*-spend.csv"))
    assert any("9" * 5000 in Path(file).read_text() for file in kept)
