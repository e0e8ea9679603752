"""Rows that are sums of the others are asked about; what only looks like one is read."""

import duckdb
import pytest
import yaml

from pipelines.ingest.summary_words import says_sum
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,clicks,impressions"
ADS = "spend_date,campaign_id,campaign,ad_id,cost,clicks,impressions"
DEALS = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency,opened_at"
ORDERS = "conversion_id,customer_id,converted_at,revenue"
SPENT = ["2026-10-01,a,Brand,10,5,100", "2026-10-01,b,Shop,20,6,200", "2026-10-02,a,Brand,1,1,9"]
WON = ["d1,k1,Won,true,2026-10-01,10,EUR,", "d2,k2,Won,true,2026-10-02,20,EUR,"]


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client that takes no bad row."""
    return Tenant(house.home, limit=0)


def said(tenant: Tenant, table: str, head: str, rows: list[str], **settings: str) -> str:
    """Deliver rows of a table; return the problem."""
    source, name = table.split(".")
    export = {"files": "exports/one/some*", "expected_every": "never"} | settings
    if head == ORDERS:
        export["columns"] = {"currency": None}
    House(tenant.home).change("one", sources={source: {name: export}})
    tenant.deliver("some.csv", "\n".join([head, *rows, ""]))
    return tenant.ingest(source).problem


@pytest.mark.parametrize(
    ("table", "head", "rows", "shown"),
    {
        "in cost, not in all": (
            *("google_ads.spend", HEAD, [*SPENT, "2026-10-02,Total,,31,12,310"]),
            "campaign_id is 'Total', and cost there is the sum of the others (line 5)",
        ),
        "a word alone": (
            *("google_ads.spend", HEAD, [*SPENT, "2026-10-02,x,Grand Total:,7,1,1"]),
            "1 row is called like a sum: campaign is 'Grand Total:' (line 5)",
        ),
        "of ads": (
            *("google_ads.spend", ADS),
            ["2026-10-01,a,B,x1,10,5,9", "2026-10-01,a,B,x2,20,5,9", "2026-10-01,a,B,,30,10,18"],
            "without ad_id there is 1 row whose cost, clicks and impressions are the sums",
        ),
        "by no word": (
            *("google_ads.spend", HEAD, [*SPENT[:2], "2026-10-01,99,Account 7,30,11,300"]),
            "campaign_id '99' has on each day the cost, clicks and impressions of all others",
        ),
        "of deals, in a stage": (
            *("salesforce.opportunities", DEALS, [*WON, "d3,,Summe,true,2026-10-02,30,EUR,"]),
            "stage is 'Summe', and amount there",
        ),
        "of orders, by no word": (
            *("web.conversions", ORDERS),
            ["1,k,2026-10-01,1", "2,k,2026-10-01,2", "3,k,2026-10-01,4", "4,,2026-10-01,7"],
            "the one row without customer_id has the revenue of all others together (line 5)",
        ),
    }.values(),
)
def test_a_sum_is_asked_about(
    tenant: Tenant, table: str, head: str, rows: list[str], shown: str
) -> None:
    problem = said(tenant, table, head, rows)
    assert shown in problem and "`where: true` if all rows count" in problem
    assert said(tenant, table, head, rows, where="true") == ""


@pytest.mark.parametrize(
    ("table", "head", "rows"),
    {
        "a brand": ("google_ads.spend", HEAD, [*SPENT, "2026-10-02,x,Total Wine,31,12,309"]),
        "a cost by chance": ("google_ads.spend", HEAD, [*SPENT[:2], "2026-10-01,x,C,30,12,1"]),
        "no ad": ("google_ads.spend", ADS, ["2026-10-01,a,B,x1,10,5,9", "2026-10-01,a,B,,9,5,9"]),
        "two campaigns alike": ("google_ads.spend", HEAD, [SPENT[0], "2026-10-01,b,Shop,10,5,100"]),
        "a large deal": ("salesforce.opportunities", DEALS, [*WON, WON[1].replace("d2", "d3")]),
        "an order of nobody": ("web.conversions", ORDERS, ["1,k,2026-10-01,7", "2,,2026-10-01,7"]),
    }.values(),
)
def test_what_is_no_sum_is_read(tenant: Tenant, table: str, head: str, rows: list[str]) -> None:
    assert said(tenant, table, head, rows) == ""


def test_a_condition_that_is_there_is_kept_beside_the_new_one(tenant: Tenant) -> None:
    rows = [*SPENT, "2026-10-02,Total,,31,12,310"]
    problem = said(tenant, "google_ads.spend", HEAD, rows, where="clicks > 0")
    line = problem.partition("`where: ")[2].partition("`")[0]
    assert yaml.safe_load(line) == "(clicks > 0) AND (\"campaign_id\" NOT IN ('Total'))"


@pytest.mark.parametrize(
    ("text", "is_sum"),
    [
        *((text, True) for text in ("TOTAL:", "Sub-total", "Gesamtergebnis", "Total: Account")),
        *(
            (text, True)
            for text in ("Total - Search", "All campaigns", "Results from 12 campaigns")
        ),
        *(
            (text, True)
            for text in ("Totals for all campaigns", "*Total*", "\u5408\u8ba1", "Sum of cost")
        ),
        *((text, False) for text in ("Totally", "total_wine", "Summer Sale", "Gesamtschule Nord")),
        *((text, False) for text in ("Colgate Total", "All", "Overalls for kids", "Sum 41")),
    ],
)
def test_a_word_calls_a_sum_only_as_the_whole_of_a_text(text: str, is_sum: bool) -> None:
    found = duckdb.execute(f"SELECT {says_sum('text')} FROM (SELECT ? AS text)", [text])
    assert found.fetchall() == [(is_sum,)]
