"""What ad platforms claim is read as delivered, beside what the same campaigns earned."""

from datetime import date

import duckdb

from pipelines.watch.platform_claims import claims_and_ours
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,cost,clicks,campaign,impressions"
BOUNDS = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}


def compared(house: House) -> tuple:
    with duckdb.connect() as opened:
        opened.execute("CREATE SCHEMA one_publish")
        opened.execute(
            """CREATE VIEW one_publish.campaigns_v1 AS SELECT * FROM (VALUES
            (DATE '2026-10-01', 'Paid Search', 'Brand', 2.5::DOUBLE),
            (DATE '2026-10-01', 'Email', 'Letter', 7.0::DOUBLE),
            (DATE '2026-10-03', 'Paid Search', 'Brand', 1.0::DOUBLE)
            ) AS rows(date, channel, campaign, conversions)"""
        )
        return claims_and_ours(opened, house.client("one"), BOUNDS)


def test_the_newest_claim_of_a_day_counts_beside_its_campaigns_credit(house: House) -> None:
    tenant = Tenant(house.home)
    rows = [
        "2026-10-01,1,10,5,Brand,9,4.5",
        "2026-10-02,1,10,5,Brand,9,2",
        "2026-09-30,1,1,1,Brand,1,9",
    ]
    tenant.deliver("spend-1.csv", "\n".join([f"{HEAD},conversions", *rows, ""]))
    assert tenant.ingest().status.code == "ok"
    tenant.deliver("spend-2.csv", f"{HEAD},conversions\n2026-10-01,1,10,5,Brand,9,6\n")
    assert tenant.ingest().status.code == "ok"
    claims, ours = compared(house)
    assert claims == {"google_ads": {"2026-10-01": 6.0, "2026-10-02": 2.0}}
    assert ours == {"google_ads": {"2026-10-01": 2.5, "2026-10-03": 1.0}}


def test_where_none_are_delivered_there_are_none(house: House) -> None:
    tenant = Tenant(house.home)
    tenant.spend("spend.csv", "01,1,10")
    assert tenant.ingest().status.code == "ok"
    assert compared(house) == ({}, {})
