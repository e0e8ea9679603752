"""The query of the page where a visit began holds ids, and what the client's file takes from it."""

from pathlib import Path

import pytest

from tests.builders.tenant import Tenant
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
sources:
  web:
    sessions:
      files: exports/one/visits*
      expected_every: never
      columns: {columns}
"""
HEAD = "session_id,visitor_id,customer_id,started_at,source,medium,campaign,gclid,Landing Page"
MAPPED = """
        landing_page: Landing Page
        ad_id: Landing Page?utm_content
        campaign: Landing Page?utm_campaign"""
PAGES = [
    ("", "https://shop.example/?gclid=g-1&gad_campaignid=77&utm_content=ad%207#gclid=g-2"),
    ("own", "https://shop.example/a?x=1&gclid=g-3&utm_campaign=Caf%C3%A9+Brand&li_fat_id=l-1"),
    ("", "https://shop.example/?notgclid=g-4&hsa_cam=5&hsa_grp=6&hsa_ad=7&twclid="),
    ("", "/sale?utm_content=%FF%FE&utm_id=9&gad_campaignid=8"),
    ("", ""),
]
FOUND = "session_id, gclid, li_fat_id, twclid, campaign, campaign_id, ad_group_id, ad_id"


@pytest.fixture
def visits(house: House) -> Tenant:
    """A client whose sessions come with the page where they began."""
    tenant = Tenant(house.home)
    rows = [
        f"s{number},v,,2026-10-01 10:00:0{number},,,,{own},{page}"
        for number, (own, page) in enumerate(PAGES, 1)
    ]
    (tenant.exports / "visits.csv").write_text("\n".join([HEAD, *rows, ""]))
    return tenant


def settings(tenant: Tenant, columns: str) -> Path:
    tenant.settings.write_text(SETTINGS.format(columns=columns))
    return tenant.settings


def test_the_query_of_a_landing_page_holds_ids(visits: Tenant) -> None:
    settings(visits, MAPPED)
    assert not visits.ingest("web").problem
    assert {*visits.log(FOUND, "web", "sessions")} == {
        ("s1", "g-1", None, None, None, "77", None, "ad 7"),
        ("s2", "own", "l-1", None, "Café Brand", None, None, None),
        ("s3", None, None, None, None, "5", "6", "7"),
        ("s4", None, None, None, None, "9", None, "%FF%FE"),
        ("s5", None, None, None, None, None, None, None),
    }


def test_what_the_file_says_is_lacking_is_not_looked_for(visits: Tenant) -> None:
    settings(visits, "{landing_page: Landing Page, gclid: null, campaign_id: null}")
    assert not visits.ingest("web").problem
    ids = {*visits.log("session_id, gclid, campaign_id, li_fat_id", "web", "sessions")}
    assert ids == {(f"s{n}", None, None, "l-1" if n == 2 else None) for n in range(1, 6)}


def test_a_page_that_is_not_there_is_named(visits: Tenant) -> None:
    settings(visits, "{ad_id: 'Entry Page?utm_content'}")
    problem = visits.ingest("web").problem
    assert "missing column Entry Page?utm_content" in problem and "visits.csv" in problem
