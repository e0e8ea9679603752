"""A header line below the header: the same is left out, another one refuses the file by its line."""

import gzip

import pytest

from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions"
TURNED = "spend_date,campaign_id,campaign,clicks,currency,cost,impressions"
FIRST = f"{HEAD}\n2026-10-01,a,Brand,10,EUR,5,100\n"
ROW = "2026-10-02,a,Brand,7,EUR,30,100\n"
DEALS = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency,opened_at"
BOM = "\ufeff"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client that takes many bad rows, so that one alone refuses nothing."""
    return Tenant(house.home, limit=0.9)


@pytest.mark.parametrize(
    "second",
    {
        "as it is": HEAD,
        "behind a byte order mark": BOM + HEAD,
        "in capitals and quotes": ",".join(f'"{name.upper()}"' for name in HEAD.split(",")),
        "with old line ends": HEAD + "\r",
    }.values(),
)
def test_the_same_header_again_is_left_out_and_told(tenant: Tenant, second: str) -> None:
    tenant.deliver("spend.csv", f"{FIRST}{second}\n{ROW}")
    outcome = tenant.ingest()
    assert outcome.problem == ""
    assert tenant.newest("spend_date, cost, clicks") == {
        ("2026-10-01", "10", "5"),
        ("2026-10-02", "7", "30"),
    }
    assert outcome.status.notes == [
        "spend.csv: its header stands again in line 3, as in files joined into one; left out"
    ]
    assert tenant.log("rows_left_out", table="exports") == [(1,)]


@pytest.mark.parametrize(
    ("second", "differs"),
    {
        "in another order": (TURNED, "column 4 is 'clicks', in line 1 'cost'"),
        "behind a byte order mark": (BOM + TURNED, "column 4 is 'clicks'"),
        "in other capitals": (TURNED.title(), "column 4 is 'Clicks'"),
        "in quotes": (",".join(f'"{name}"' for name in TURNED.split(",")), "column 4 is 'clicks'"),
        "by another mark": (TURNED.replace(",", ";"), "column 4 is 'clicks'"),
        "the same by another mark": (HEAD.replace(",", ";"), "another mark between them"),
        "with one more": (f"{HEAD},reach", "it has 8 columns, line 1 has 7"),
        "of other names": ("Day,Id,Name,Clicks,Currency,Spend,Views", "column 1 is 'Day'"),
        "behind a torn line": (f"2026-10-02,a,Brand,1,EUR,5,1{TURNED}", "column 1 is '2026"),
    }.values(),
)
def test_another_header_refuses_the_file(tenant: Tenant, second: str, differs: str) -> None:
    rows = ROW.replace(",", ";") if ";" in second else ROW
    tenant.deliver("spend.csv", f"{FIRST}{second}\n{rows}")
    problem = tenant.ingest().problem
    assert problem.startswith("spend.csv: line 3 seems to be another header: ")
    assert differs in problem and "deliver each by itself, the first up to line 2" in problem
    assert not tenant.log("cost")


def test_packed_files_joined_are_one_file(tenant: Tenant) -> None:
    parts = [gzip.compress(text.encode()) for text in (FIRST, f"{TURNED}\n{ROW}")]
    tenant.deliver("spend.csv.gz", b"".join(parts))
    assert tenant.ingest().problem.startswith("spend.csv.gz: line 3 seems to be another header")


def test_a_header_among_rows_that_do_not_count_is_seen_too(tenant: Tenant) -> None:
    tenant.setting("where: campaign = 'Brand'")
    tenant.deliver("spend.csv", f"{FIRST}{TURNED}\n{ROW}")
    assert "line 3 seems to be another header" in tenant.ingest().problem


def test_names_that_are_words_are_found_where_nothing_is_typed(tenant: Tenant) -> None:
    columns = {"email": None, "name": "Name", "created_at": None}
    contacts = {"files": "exports/one/people*", "expected_every": "never", "columns": columns}
    House(tenant.home).change("one", sources={"salesforce": {"contacts": contacts}})
    tenant.deliver("deals.csv", f"{DEALS}\n7,k,Open,false,,,,\n")
    tenant.deliver(
        "people.csv", "contact_id,account_id,Name\nc1,a1,Ann\ncontact_id,Name,account_id\n"
    )
    assert "line 3 seems to be another header" in tenant.ingest("salesforce").problem


def test_a_bad_row_is_no_header(tenant: Tenant) -> None:
    tenant.deliver("spend.csv", f"{FIRST}2026-10-32,campaign_id,campaign,1,EUR,5,100\n")
    assert tenant.ingest().counts[4] == 1
