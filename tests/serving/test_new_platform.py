"""An ad platform more: its spend counts by a line of the client's file, and is missed where a model drops it."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.checkout import PROJECT, copy_checkout
from tests.conftest import House

SPEND = Decimal("561.94")  # of acme in the demo, with 100 sessions a day
DOWNLOADS = {
    "microsoft": "Gregorian date,Campaign name,Campaign ID,Spend,Clicks,Impressions\n2026-09-03,search,1,10.00,9,99\n",
    "linkedin": "Report\n\nStart Date (in UTC),Campaign Name,Campaign ID,Total Spent,Clicks,Impressions\n"
    '9/3/2026,b2b,1,"1,000.00",9,99\n',
    "tiktok": "By Day,Campaign name,Campaign ID,Cost,Clicks (destination),Impressions\n2026-09-03,fun,1,5,9,99\n",
    "reddit": "Date,Campaign,Spent,Clicks,Impressions\n2026-09-03,memes,7.00,9,99\n",
}
PLATFORMS = """  microsoft_ads: {spend: {files: exports/acme/microsoft.csv, format: microsoft_ads_report}}
  linkedin_ads: {spend: {files: exports/acme/linkedin.csv, format: linkedin_ads_report}}
  tiktok_ads: {spend: {files: exports/acme/tiktok.csv, format: tiktok_ads_report}}
  ads:
    reddit:
      channel: Communities
      spend:
        files: exports/acme/reddit.csv
        columns: {spend_date: Date, campaign_id: Campaign, campaign: Campaign, cost: Spent}
"""


def insert(file: Path, before: str, text: str) -> None:
    """Write a text before another in a file."""
    content = file.read_text()
    assert content.count(before) == 1, f"{before!r} is not in {file} once"
    file.write_text(content.replace(before, text + before))


@pytest.fixture
def house_of_acme(house: House) -> House:
    """Return a house with the demo's exports and one client."""
    house.export()
    for name in ("borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    return house


def daily(house: House, project: Path) -> str:
    """Serve the morning with the code in a folder; return what it prints."""
    return house.run("sh", "-c", f"cd {project} && python -m pipelines daily").stdout


@pytest.mark.slow
def test_a_platform_whose_spend_a_model_drops_holds_the_client(
    house_of_acme: House, tmp_path: Path
) -> None:
    project = copy_checkout(tmp_path / "project")
    insert(
        project / "models/staging/stg_ad_spend.sql",
        "  loaded_at BETWEEN @start_ts",
        "  platform <> 'facebook_ads'\n  AND ",
    )

    said = daily(house_of_acme, project)

    assert "acme: acme_staging.stg_load_counts: audit rows_accounted_for failed, 1 row(s)" in said
    assert (
        "client = acme, source = facebook_ads, table_name = spend, rows_loaded = 90, rows_staged = 0"
        in " ".join(said.split())
    )


@pytest.mark.slow
def test_platforms_that_a_client_adds_in_its_file_count(house_of_acme: House) -> None:
    for name, content in DOWNLOADS.items():
        (house_of_acme.home / f"exports/acme/{name}.csv").write_text(content)
    insert(house_of_acme.home / "clients/acme.yaml", "  google_ads:", PLATFORMS)

    said = daily(house_of_acme, PROJECT)

    assert "published" in said and "held" not in said, said
    assert house_of_acme.rows(
        "SELECT channel, campaign, cost, clicks FROM acme_publish.campaigns_v1"
        " WHERE campaign IN ('search', 'b2b', 'fun', 'memes') ORDER BY cost"
    ) == [
        ("Paid Social", "fun", 5, 9),
        ("Communities", "memes", 7, 9),
        ("Paid Search", "search", 10, 9),
        ("Paid Social", "b2b", 1000, 9),
    ]
    assert house_of_acme.rows("SELECT spend FROM acme_publish.freshness_v1") == [(SPEND + 1022,)]
