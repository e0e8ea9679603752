"""One key, several rows in one file: one row if they say the same, refused or added up if not."""

import json
import re
from pathlib import Path

import pytest

from pipelines.ingest.load_counts import Counts
from pipelines.settings.reader import read
from tests.builders.spend_files import FORMATS
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,clicks,impressions,conversions,Placement"
BY_PLACEMENT = [
    "2026-10-01,7,Shoes,10.10,3,100,0.5,Feed",
    "2026-10-01,7,Shoes,20.20,4,200,,Story",
    "2026-10-01,8,Hats,1,1,1,1,Feed",
    "2026-10-01,7,Shoes (new),0.000001,,300,0.25,Search",
]
DEALS = "opportunity_id,customer_id,stage,is_won,closed_at,amount"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def deliver(tenant: Tenant, *rows: str, head: str = HEAD, file: str = "spend.csv") -> Path:
    """Write an export of some lines."""
    return tenant.deliver(file, "\n".join([head, *rows]) + "\n")


def write_setting(tenant: Tenant, problem: str) -> None:
    """Write the line that a refusal offers where it says that it goes."""
    (line,) = re.findall("`(grain: [a-z]+)`", problem)
    ((source, table),) = re.findall(r"under sources\.(\w+)\.(\w+)", problem)
    text = tenant.settings.read_text()
    assert f"  {source}:\n    {table}:\n" in text
    found = f"  {source}:\n    {table}:\n"
    tenant.settings.write_text(text.replace(found, f"{found}      {line}\n"))


def test_a_finer_report_is_refused_and_the_offered_setting_adds_it_up(tenant: Tenant) -> None:
    deliver(tenant, *BY_PLACEMENT)
    problem = tenant.ingest().problem
    assert problem == (
        "spend.csv: 3 of 4 rows share their key with a row that says something else: lines 2, 3 and"
        " 5 have spend_date '2026-10-01', campaign_id '7', but campaign 'Shoes', 'Shoes',"
        " 'Shoes (new)'; cost '10.10', '20.20', '0.000001'; Placement 'Feed', 'Story', 'Search'"
        " (not read). Map account_id, ad_group_id or ad_id to what tells them apart, export it"
        " without the breakdown, or have cost, clicks, impressions and conversions added up."
        " To read it, write in clients/one.yaml under sources.google_ads.spend: `grain: sum`"
    )
    assert tenant.log("*") == []
    write_setting(tenant, problem)
    assert tenant.ingest().counts == Counts(4, 2, superseded=2)
    sums = "campaign_id, campaign, cost::DECIMAL(18, 6)::TEXT, clicks, impressions"
    assert tenant.log(f"{sums}, conversions::DOUBLE") == [
        ("8", "Hats", "1.000000", "1", "1", 1),
        ("7", "Shoes (new)", "30.300001", "7", "600", 0.75),
    ]
    kept = "rows_read, rows_appended, rows_superseded, rows_summed"
    assert tenant.log(kept, table="exports") == [(4, 2, 0, 2)]


def test_a_number_is_the_same_however_it_is_written(tenant: Tenant) -> None:
    deliver(
        tenant,
        "2026-10-01,7,Shoes,1.0,3,100,0.50,Feed",
        "2026-10-01,7,Shoes,1.00,3.0,100.0,.5,Feed",
    )
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts) == ("", Counts(2, 1, superseded=1))
    deliver(tenant, "2026-10-01,7,Shoes,1,3,100.,0.5,Feed", file="spend-2.csv")
    assert tenant.ingest().counts == Counts(1, unchanged=1)
    assert tenant.log("cost, clicks, impressions") == [("1.0", "3", "100")]


def test_texts_that_look_like_equal_numbers_are_two(tenant: Tenant) -> None:
    deliver(
        tenant, "2026-10-01,7,1.0,1.0,3,100,0.50,Feed", "2026-10-01,7,1.00,1.00,3.0,100,.5,Feed"
    )
    problem = tenant.ingest().problem
    assert "campaign_id '7', but campaign '1.0', '1.00'. Map" in problem  # and not its cost


def test_a_sum_is_restated_by_the_next_file_and_stays_where_it_is_the_same(tenant: Tenant) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace("table: spend", "grain: sum", 1))
    deliver(tenant, *BY_PLACEMENT, file="spend-1.csv")
    tenant.ingest()
    deliver(tenant, *reversed(BY_PLACEMENT[:2]), BY_PLACEMENT[3], file="spend-2.csv")
    assert tenant.ingest().counts == Counts(3, 0, 1, superseded=2)
    deliver(tenant, BY_PLACEMENT[0], file="spend-3.csv")
    assert tenant.ingest().counts == Counts(1, 1)
    assert tenant.newest("campaign_id, cost::DECIMAL(18, 2)::TEXT") == {
        ("7", "10.10"),
        ("8", "1.00"),
    }


def test_rows_that_say_the_same_are_one_unless_they_differ_in_what_nobody_reads(
    tenant: Tenant,
) -> None:
    """Two placements may cost the same; where costs add up, one of them would be lost."""
    same = "2026-10-01,7,Shoes,10,3,100,0"
    deliver(tenant, f"{same},Feed", f"{same},Feed", file="spend-1.csv")
    assert tenant.ingest().counts == Counts(2, 1, superseded=1)
    deliver(tenant, f"{same},Feed", f"{same},Story", file="spend-2.csv")
    problem = tenant.ingest().problem
    assert "lines 2 and 3 have spend_date '2026-10-01', campaign_id '7', but Placement" in problem
    (tenant.exports / "spend-1.csv").unlink()  # or it is read again, too
    write_setting(tenant, problem)
    assert tenant.ingest().counts == Counts(2, 1, superseded=1)
    assert tenant.newest("cost::INT") == {(20,)}


def test_money_of_two_currencies_is_not_added_up(tenant: Tenant) -> None:
    text = tenant.settings.read_text().replace("table: spend", "grain: sum", 1)
    rates = "  rates:\n    rates: {files: exports/one/rates.csv}\n"
    tenant.settings.write_text(text + rates)
    head = "spend_date,campaign_id,campaign,cost,clicks,impressions,currency"
    deliver(tenant, "2026-10-01,7,A,1,1,1,", "2026-10-01,7,A,2,1,1,EUR", head=head)
    assert tenant.ingest().counts == Counts(2, 1, superseded=1)  # no currency is the client's
    deliver(tenant, "2026-10-01,7,A,1,1,1,", "2026-10-01,7,A,2,1,1,USD", head=head)
    problem = tenant.ingest().problem
    assert "lines 2 and 3 have spend_date '2026-10-01', campaign_id '7', but" in problem
    assert "currency nothing, 'USD'" in problem
    assert problem.endswith("deliver each currency by itself")


def test_a_log_of_changes_is_refused_and_the_offered_setting_takes_the_last(tenant: Tenant) -> None:
    changes = [f"d1,ann,{stage},no,,{amount}" for stage, amount in [("New", 5), ("Offer", 7)]]
    deliver(tenant, *changes, "d2,bob,New,no,,1", head=DEALS, file="deals.csv")
    problem = tenant.ingest("salesforce").problem
    assert (
        "2 of 3 rows share their key with a row that says something else: lines 2 and 3" in problem
    )
    assert "have opportunity_id 'd1', but stage 'New', 'Offer'; amount '5', '7'." in problem
    assert "Map opportunity_id to what tells them apart, or export one row of each" in problem
    write_setting(tenant, problem)
    assert tenant.ingest("salesforce").counts == Counts(3, 2, superseded=1)
    found = tenant.log("opportunity_id, stage", "salesforce", "opportunities")
    assert found == [("d1", "New"), ("d1", "Offer"), ("d2", "New")]


HAPPENS = "conversion_id,customer_id,converted_at,revenue,Product,Last Modified"
DEAL = "opportunity_id,customer_id,stage,is_won,closed_at,amount,Product,Last Modified"


@pytest.mark.parametrize(
    "head, rows, offered, said",
    {
        "items of an order": (
            HAPPENS,
            ["1,a,2026-10-01,5,shoe,2026-10-01", "1,a,2026-10-01,7,sock,2026-10-01"],
            False,
            "or export one row of each: of several events the first, of several items their sum",
        ),
        "a refund": (HAPPENS, ["1,a,2026-10-01,5,,1", "1,a,2026-10-02,-5,,2"], False, "their sum"),
        "versions of an order": (HAPPENS, ["1,a,2026-10-01,5,,1", "1,a,2026-10-01,4,,2"], True, ""),
        "versions, newest first": (
            HAPPENS,
            ["1,a,2026-10-01,4,,2026-10-09T10:00:00Z", "1,a,2026-10-01,5,,2026-10-01T10:00:00Z"],
            False,
            "its changes stand newest first, export them oldest first",
        ),
        "products of a deal": (
            DEAL,
            ["1,a,Won,true,2026-10-01,5,shoe,", "1,a,Won,true,2026-10-01,7,sock,"],
            False,
            "of several items their sum",
        ),
        "changes of a deal": (
            DEAL,
            ["1,a,Open,false,,5,,", "1,a,Won,true,2026-10-01,5,,"],
            True,
            "",
        ),
        "changes of a deal, newest first": (
            DEAL,
            ["1,a,Won,true,2026-10-01,5,,2026-10-02", "1,a,Open,false,,5,,2026-10-01"],
            False,
            "newest first",
        ),
    }.values(),
)
def test_the_last_row_is_offered_only_of_what_may_be_a_log_of_changes(
    tenant: Tenant, head: str, rows: list[str], offered: bool, said: str
) -> None:
    source, columns = ("web", {"currency": None}) if head == HAPPENS else ("salesforce", {})
    files = {"files": "exports/one/some*", "expected_every": "never"}
    table = "conversions" if head == HAPPENS else "opportunities"
    House(tenant.home).change("one", sources={source: {table: files | {"columns": columns}}})
    tenant.deliver("some.csv", "\n".join([head, *rows, ""]))
    problem = tenant.ingest(source).problem
    assert "share their key with a row that says something else" in problem and said in problem
    assert ("`grain: newest`" in problem) == offered


def test_bad_rows_are_no_rows_of_a_key(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1", "01,a,much", "01,b,2")
    assert tenant.ingest().counts == Counts(3, 2, quarantined=1)


def test_two_files_may_say_different_things_and_the_later_counts(tenant: Tenant) -> None:
    tenant.spend("spend-1.csv", "01,a,1")
    tenant.spend("spend-2.csv", "01,a,2")
    assert tenant.ingest().counts == Counts(2, 1, superseded=1)
    assert tenant.newest("cost") == {("2",)}


@pytest.mark.parametrize("form", ["jsonl", "parquet", "sqlite"])
def test_rows_of_one_key_are_refused_in_every_format(tenant: Tenant, form: str) -> None:
    rows = [("2026-10-01", "7", "Shoes", cost, "EUR", "1", "1") for cost in ("1", "2")]
    FORMATS[form](tenant.exports / f"spend.{form}", rows)
    problem = tenant.ingest().problem
    assert problem.startswith(f"spend.{form}: 2 of 2 rows share their key")
    assert "lines 1 and 2" in problem and "cost '1', '2'" in problem
    write_setting(tenant, problem)
    assert tenant.ingest().counts == Counts(2, 1, superseded=1)
    assert tenant.newest("cost::INT") == {(3,)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    {
        "only costs add up": (
            "files: exports/one/deals*",
            "files: exports/one/deals*\n      grain: sum",
            "salesforce.opportunities.grain: nothing in salesforce.opportunities adds up",
        ),
        "a word": (
            "table: spend",
            "grain: add",
            "sources.google_ads.spend.grain: write sum, newest or refunds",
        ),
        "events are merged": (
            "  google_ads:",
            "  web:\n    sessions: {files: a.tsv, format: snowplow, grain: newest}\n  google_ads:",
            "with `format:` events are merged; leave out `grain:`",
        ),
    }.values(),
)
def test_a_grain_that_makes_no_sense_is_refused_by_its_key(
    tenant: Tenant, old: str, new: str, said: str
) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace(old, new, 1))
    (problem,) = read()[1]
    assert said in problem.message


ROUNDED = [
    "1.20211E+17",
    "1,20211E+17",
    "1.2e17",
    "1.2E+17",
    "1E+17",
    "1.20211000000000E+17",
    "1.20211e+17",
]
EXACT = ["1.2021100000000013e+17", "120211000000000013", "1e17", "8E+", "a1.2E+17", "12.5"]


@pytest.mark.parametrize("written", ROUNDED)
def test_an_id_that_a_spreadsheet_rounded_is_refused_even_where_it_collides_with_none(
    tenant: Tenant, written: str
) -> None:
    tenant.deliver("deals.csv", f'{DEALS}\nd1,"{written}",New,no,,5\nd2,ann,New,no,,5\n')
    problem = tenant.ingest("salesforce").problem
    assert problem.startswith("deals.csv: a spreadsheet has rounded ids: customer_id of 1 rows, as")
    assert f"'{written}'" in problem and "ids' columns as text" in problem


@pytest.mark.parametrize("name", ["deals.jsonl", "deals.csv"])
def test_a_rounded_id_that_shows_all_its_digits_is_refused(tenant: Tenant, name: str) -> None:
    """Numbers of JSON come without their exponent, and a spreadsheet's cell may show none."""
    ids = ["1.20211E+17", "1.20212E+17"] if name == "deals.jsonl" else ["120211" + "0" * 12] * 2
    ids[1] = ids[1].replace("120211", "120212", 1)
    keys = DEALS.split(",")
    rows = [(f"d{number}", each, "New", "false", "", "5") for number, each in enumerate(ids)]
    if name == "deals.jsonl":
        lines = [json.dumps(dict(zip(keys, row))).replace(f'"{row[1]}"', row[1]) for row in rows]
    else:
        lines = [DEALS, *map(",".join, rows)]
    tenant.deliver(name, "\n".join(lines) + "\n")
    problem = tenant.ingest("salesforce").problem
    assert "a spreadsheet has rounded ids: customer_id of 2 rows, as '1202110000" in problem


def test_one_long_id_may_end_in_zeros(tenant: Tenant) -> None:
    rows = [f"d{number},{each},New,no,,5" for number, each in enumerate([17 * 10**16, 10**17 + 13])]
    tenant.deliver("deals.csv", "\n".join([DEALS, *rows, "d9,1700000000000000000,New,no,,5"]))
    assert not tenant.ingest("salesforce").problem


@pytest.mark.parametrize("written", EXACT)
def test_an_id_that_a_program_wrote_whole_is_read(tenant: Tenant, written: str) -> None:
    tenant.deliver("deals.csv", f"{DEALS}\nd1,{written},1E+5,no,,1E+5\n")
    assert not tenant.ingest("salesforce").problem
    assert tenant.log("customer_id", "salesforce", "opportunities") == [(written,)]


def test_a_sum_decides_nothing_about_how_numbers_are_read(tenant: Tenant) -> None:
    """Is 1.250 a thousand or one? Not 3.750000, the sum of two, says so."""
    text = tenant.settings.read_text().replace("table: spend", "grain: sum", 1)
    tenant.settings.write_text(text)
    rows = [f"2026-10-01,7,Shoes,{cost},3,100,0,Feed" for cost in ("1.250", "2.500")]
    deliver(tenant, *rows)
    assert "numbers: {" in tenant.ingest().problem
    assert tenant.log("*") == []
