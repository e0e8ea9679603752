"""Names of columns are equal but for capitals, blanks and underscores, in every form; the very name goes first."""

import json
import sqlite3

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from tests.builders.tenant import Tenant
from tests.conftest import House

NAMES = ["spend_date", "Campaign ID", "campaign", "cost", "clicks", "impressions", "Order State"]
OTHERS = ["SPEND_DATE", "campaign_id", "Campaign", "Cost ", "CLICKS", "impressions", "orderstate"]
ROWS = [
    ["2026-10-01", "a", "Brand", "1.5", "2", "3", "Paid"],
    ["2026-10-01", "b", "", "9", "2", "3", "Void"],
]
SAID = "Campaign ID from campaign_id, Order State from orderstate, campaign from Campaign, clicks from CLICKS"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client that maps a column, compares one, and leaves the others their names."""
    tenant = Tenant(house.home, limit=0)
    tenant.setting("columns: {campaign_id: Campaign ID, currency: null}")
    tenant.setting('where: "\\"Order State\\" = \'Paid\'"')
    return tenant


def deliver(tenant: Tenant, form: str, names: list[str]) -> None:
    """Write the rows in a form, under some names."""
    path = tenant.exports / f"spend.{form}"
    if form == "parquet":
        columns = [[row[place] for row in ROWS] for place in range(len(names))]
        pyarrow.parquet.write_table(pa.table(columns, names=names), path)
    elif form == "sqlite":
        with sqlite3.connect(path) as database:
            database.execute(
                f"CREATE TABLE spend ({', '.join(json.dumps(name) for name in names)})"
            )
            database.executemany("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?, ?)", ROWS)
    elif form == "jsonl":
        tenant.deliver(path.name, "".join(json.dumps(dict(zip(names, row))) + "\n" for row in ROWS))
    else:
        mark = "\t" if form == "tsv" else ";"
        tenant.deliver(path.name, "".join(mark.join(row) + "\n" for row in [names, *ROWS]))


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "sqlite"])
def test_names_in_other_capitals_and_marks_are_read_and_told(tenant: Tenant, form: str) -> None:
    deliver(tenant, form, [name.strip() for name in OTHERS] if form in ("csv", "tsv") else OTHERS)
    outcome = tenant.ingest()
    assert outcome.problem == ""
    assert tenant.newest("campaign_id, cost, clicks") == {("a", "1.5", "2")}
    assert any(SAID in note for note in outcome.status.notes)


def test_the_very_name_goes_first_and_is_no_others(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.csv",
        "campaign_id,Campaign ID,spend_date,campaign,cost,clicks,impressions,Order State\n"
        "x,a,2026-10-01,Brand,1.5,2,3,Paid\n",
    )
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign_id") == {("a",)}


def test_of_two_names_alike_one_is_asked_for(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.csv",
        "campaign_id,CampaignID,spend_date,campaign,cost,clicks,impressions,Order State\n"
        "x,a,2026-10-01,Brand,1.5,2,3,Paid\n",
    )
    assert "Campaign ID may be its campaign_id or CampaignID" in tenant.ingest().problem


def test_a_column_that_is_there_twice_is_not_read_by_a_name_alike(tenant: Tenant) -> None:
    """Nobody asked for the platform's own conversions: two of them are none."""
    names = [*NAMES, "Conversions", "Conversions"]
    rows = [[*row, "7", "8"] for row in ROWS]
    tenant.deliver("spend.csv", "".join(",".join(row) + "\n" for row in [names, *rows]))
    assert tenant.ingest().problem == ""
    assert tenant.newest("conversions") == {(None,)}


def test_of_marks_the_one_counts_that_yields_the_names(house: House) -> None:
    tenant = Tenant(house.home, limit=0)
    columns = {"cost": "Cost, net, EUR", "clicks": "Clicks, all", "currency": None}
    tenant.setting(f"columns: {yaml.safe_dump(columns, default_flow_style=True).strip()}")
    tenant.deliver(
        "spend.csv",
        "Spend Date;Campaign;Campaign ID;Impressions;Clicks, all;Cost, net, EUR\n2026-10-01;B;a;3;2;1.5\n",
    )
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign_id, cost, clicks") == {("a", "1.5", "2")}


LONG = "spend_date,campaign_id,campaign,cost,clicks,impressions,conversions,labels,notes\n"


@pytest.mark.parametrize(
    ("rows", "taken"),
    {
        "what nobody reads is not there": (
            '2026-10-01,a,"B, c",1.5,2,3\n2026-10-02,b,C,2,2,3,,\n',
            2,
        ),
        "in lines of Windows": ("2026-10-01,a,B,1.5,2,3\r\n2026-10-02,b,C,2,2,3,,\r\n", 2),
        "what is needed is not there": ("2026-10-01,a,B,1.5,2,3\n2026-10-02,b,C,2,2\n", 1),
        "the last line may be cut": ("2026-10-01,a,B,1.5,2,3\n2026-10-02,b,C,2,2,3", 1),
    }.values(),
)
def test_rows_that_end_early_are_filled(house: House, rows: str, taken: int) -> None:
    tenant = Tenant(house.home, limit=0.5)
    tenant.setting("columns: {currency: null}")
    end = "\r\n" if "\r" in rows else "\n"
    tenant.deliver("spend.csv", f"{LONG.rstrip()}{end}{rows}")
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.appended) == ("", taken)
    filled = "1 row ends" if taken == 1 else "2 rows end"
    assert (
        f"spend.csv: {filled} before the last columns; what is not there is empty"
        in outcome.status.notes
    )


def test_quotes_behind_backslashes_are_read_where_the_settings_say_so(house: House) -> None:
    tenant = Tenant(house.home, limit=0)
    tenant.setting("quotes: backslash")
    tenant.setting("columns: {currency: null}")
    rows = [
        '"2026-10-01","a","Brand \\"DE\\", exact","1.5",\\N,"3"',
        "2026-10-01,b,C:\\\\x\\, or\\nso,1.5,2,3",
        "2026-10-01,c,two\\",
        "lines,1.5,2,3",
    ]
    tenant.deliver("spend.csv", "\n".join([LONG[: LONG.index(",conv")], *rows, ""]))
    assert tenant.ingest().problem == ""
    assert tenant.newest("campaign, clicks") == {
        ('Brand "DE", exact', None),
        ("C:\\x, or\nso", "2"),
        ("two\nlines", "2"),
    }
