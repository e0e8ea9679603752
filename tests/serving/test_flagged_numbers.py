"""What is wrong with numbers stands beside them, in whole mornings: what is missing, odd, old or held."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from demo.servers.facebook_ads_server import Account, FacebookAdsServer
from tests.builders.advertiser import date_of, day
from tests.conftest import House

pytestmark = pytest.mark.slow

SESSIONS = "session_id,visitor_id,customer_id,started_at,source,medium,campaign"
ORDERS = "conversion_id,customer_id,converted_at,revenue"
SPEND = "spend_date,campaign_id,campaign,cost,clicks,impressions"
TOKEN = "EAAnotforothers"
AD = {"campaign_id": "7", "campaign": "brand", "adset_id": "70", "adset": "a", "ad_id": "700"}
AD |= {"ad": "b", "spend": "10.00", "clicks": 2, "impressions": 30}


def write(file: Path, head: str, *rows: str) -> None:
    """Write a CSV file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([head, *rows, ""]))


def deliver(house: House, name: str) -> None:
    """Deliver two customers' sessions, by Facebook's ads and by Google's, and what they ordered."""
    exports = house.home / "exports" / name
    sessions = [
        f"s{ago}{customer},v{customer},{customer},{day(ago)} 08:00:00,{network},cpc,brand"
        for ago in (1, 2)
        for customer, network in ((1, "facebook"), (2, "google"))
    ]
    write(exports / "sessions.csv", SESSIONS, *sessions)
    orders = [f"{customer},{customer},{day(1)} 12:00:00,100.00" for customer in (1, 2)]
    write(exports / "orders.csv", ORDERS, *orders)
    spend = [f"{day(ago)},1,brand,5.00,1,10" for ago in (1, 2)]
    write(exports / "spend.csv", SPEND, *spend)


def settings(name: str, **more) -> dict:
    """Return the settings of a client that delivers sessions, orders and Google's spend."""
    folder = f"exports/{name}"
    web = {
        "sessions": {"files": f"{folder}/sessions*", "delivery": "full"},
        "conversions": {"files": f"{folder}/orders*", "delivery": "full"},
    }
    google = {"spend": {"files": f"{folder}/spend*"}}
    head = {"name": name, "currency": "EUR", "start": date_of(1), "patience_minutes": 0}
    return head | {"sources": {"web": web, "google_ads": google}} | more


def enrol(house: House, name: str, **more) -> None:
    """Write a client's file and its exports."""
    (house.home / f"clients/{name}.yaml").write_text(yaml.safe_dump(settings(name, **more)))
    deliver(house, name)


@pytest.fixture
def facebook() -> Iterator[FacebookAdsServer]:
    with FacebookAdsServer(today=date_of(0)) as server:
        server.token, server.polls = TOKEN, 0
        server.accounts = {"1": Account(rows=[AD | {"date": day(ago)} for ago in (1, 2, 3)])}
        yield server


def partial(house: House) -> dict[str, set]:
    """Return whose spend is missing, by published table and, where it has channels, by channel."""
    tables = ("campaigns_v1 channel", "channel_reporting channel_name", "model_comparison channel")
    columns = [tuple(each.split()) for each in tables] + [("freshness_v1", "client")]
    query = "SELECT DISTINCT {column}, partial_without FROM ads_publish.{table}"
    return {
        table: set(house.rows(query.format(table=table, column=column)))
        for table, column in columns
    }


def by_channel(social: str | None) -> dict[str, set]:
    """Return what is to be published if Facebook's spend is missing, or nothing is."""
    channels = {("Paid Search", None), ("Paid Social", social)}
    tables = dict.fromkeys(("campaigns_v1", "channel_reporting", "model_comparison"), channels)
    return tables | {"freshness_v1": {("ads", social)}}


def test_what_is_missing_or_held_is_said_until_it_is_mended(
    house: House, facebook: FacebookAdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (house.home / "clients").iterdir():
        file.unlink()
    monkeypatch.setenv("CLIENTS__ADS__FACEBOOK_ADS__ACCESS_TOKEN", TOKEN)
    models = {"model": "last_touch", "compare": ["first_touch"]}
    enrol(house, "ads", attribution=models, publish=["channel_reporting"])
    api = {"base_url": facebook.url, "accounts": ["1"], "restate_days": 3}
    house.change("ads", sources={"facebook_ads": {"api": api}})
    owned = {"dominant_id": "holds", "dominant_id_share": 0.3, "dominant_id_rows": 2}
    enrol(house, "guests", quality=owned)
    facebook.oldest_version = 99  # Facebook ends every version that we know

    first = house.pipelines("daily").stdout
    status = house.pipelines("status")
    export = house.home / "ads.csv"
    house.pipelines("export", "ads", "--to", str(export))

    assert partial(house) == by_channel("facebook_ads")
    assert "(partial: facebook_ads)" in first
    assert export.read_text().splitlines()[-1].endswith(",facebook_ads")
    assert status.returncode == 1
    assert "facebook_ads: without its spend of 3 days from" in status.stdout
    held = "guests_marts.gate: audit no_id_dominates failed"
    assert f"guests: {held}" in first
    assert f"guests: held by its last morning: {held}" in status.stdout
    assert not house.published("guests")

    facebook.oldest_version = 25
    house.change("guests", quality={"dominant_id": "warns"})
    mended = house.pipelines("daily")
    assert mended.returncode == 0, mended.stdout
    assert partial(house) == by_channel(None)
    assert "(partial" not in mended.stdout and house.published("guests")["attribution_v1"]
    status = house.pipelines("status")
    assert status.returncode == 0, status.stdout
    assert house.rows(
        "SELECT date, cost, roas FROM ads_publish.campaigns_v1 WHERE channel = 'Paid Social'"
        f" AND date = DATE '{day(1)}'"
    ) == [(date_of(1), 10, 10.0)]


def test_units_and_readings_reach_the_published_numbers(house: House) -> None:
    """What is read again by changed settings is published as a new home publishes it."""
    for file in (house.home / "clients").iterdir():
        file.unlink()
    enrol(house, "unit")
    enrol(house, "twin")
    micros = [f"{day(ago)},1,brand,5000000,1,10,4000000,spring" for ago in range(1, 21)]
    for name in ("unit", "twin"):
        head = f"{SPEND},billed,season"
        write(house.home / f"exports/{name}/spend.csv", head, *micros)
    columns = {"cost": "billed", "campaign": ["campaign", "season"]}
    counted = {"google_ads": {"spend": {"unit": {"cost": "micros"}, "columns": columns}}}
    house.change("twin", sources=counted, timezone="Europe/Berlin")

    first = house.pipelines("daily")
    assert "unit: google_ads: exports/unit/spend.csv: a click costs 5,000,000.00" in first.stdout
    ((odd,),) = house.rows("SELECT warnings FROM unit_publish.freshness_v1")
    assert "is it in micros?" in odd and odd in house.pipelines("status").stdout

    house.change("unit", sources=counted, timezone="Europe/Berlin")
    promoted = house.pipelines("promote", "unit")
    assert promoted.returncode == 0, promoted.stdout
    second = house.pipelines("daily")
    assert second.returncode == 0, second.stdout
    assert told(house, "unit") == told(house, "twin")
    assert house.rows("SELECT spend, warnings FROM unit_publish.freshness_v1") == [(80, None)]
    spent = "SELECT DISTINCT campaign, SUM(cost) FROM unit_publish.campaigns_v1 WHERE cost > 0"
    assert house.rows(f"{spent} GROUP BY ALL") == [("brand spring", 80)]
    assert house.pipelines("reread", "unit", "--source", "google_ads").returncode == 0
    assert house.pipelines("daily").returncode == 0
    assert told(house, "unit") == told(house, "twin")

    enrol(house, "old")
    write(house.home / "exports/old/sessions.csv", SESSIONS, f"s,v,1,{day(9)} 08:00:00,a,cpc,b")
    stale = house.pipelines("daily")
    assert stale.returncode == 1 and "old: web is stale" in stale.stdout, stale.stdout
    assert house.published("old")["attribution_v1"]
    status = house.pipelines("status")
    assert status.returncode == 1 and "stale since" in status.stdout


def told(house: House, client: str) -> dict[str, list[tuple]]:
    """Return what is published of a client, but for its name and when its loads were committed."""
    freshness = f"SELECT * EXCLUDE (client, loaded_until) FROM {client}_publish.freshness_v1"
    return house.published(client) | {"freshness_v1": house.rows(freshness)}
