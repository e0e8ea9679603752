"""What a client calls its channels and campaigns: spend and credit meet on one name, and nobody else is rebuilt."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.serving.warehouse import Warehouse
from pipelines.settings.reader import ClientError, parse
from tests.builders.histories import deal, replay, session
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import Models, render

RULES = r"""
channels:
  - {channel: "It's @Brand", campaign: 'brand_\w+', source: google}
"""
GOOGLE = """    spend: {files: none}
    campaigns: {"Brand 2026 | DE": brand_de, "77": brand_at}
  facebook_ads"""


def named(name: str) -> str:
    """Return the file of a client with rules and other names."""
    text = settings(
        name,
        aliases="""{Brand-DE: brand_de, spring: "It's spring"}""",
        campaigns="""{"1": "It's spring"}""",
    ).replace("    channel: Social\n", "")
    return text.replace("    spend: {files: none}\n  facebook_ads", GOOGLE) + RULES


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Return the models of a client with rules and other names."""
    home = tmp_path_factory.mktemp("names")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(named("one"))
    House(home).enter()
    return render("one")["one"]


def spend(campaign_id: str, campaign: str, cost: str) -> dict:
    """Return what a campaign cost on the last day of August."""
    row = {"spend_date": "2026-08-31", "campaign_id": campaign_id, "campaign": campaign}
    return row | {"cost": cost, "is_deleted": False}


def test_spend_and_credit_meet_on_one_name(one: Models) -> None:
    at = "2026-08-31 12:00:00"
    clicked = {"source": None, "medium": None, "customer_id": "ann"}
    sessions = [
        session(1, at, **clicked, campaign="Brand-DE", gclid="x"),
        session(2, at, **clicked, campaign="brand_at", wbraid="x"),
        session(3, at, **clicked, campaign="spring", fbclid="x"),
        session(4, at, **clicked, campaign="summer shop", gbraid="x"),
    ]
    loads = [
        ("web", {"sessions": sessions}),
        ("salesforce", {"opportunities": [deal(1, "ann", "2026-08-31 18:00:00")]}),
        (
            "google_ads",
            {
                "spend": [
                    spend("76", "Brand 2026 | DE", "1"),
                    spend("77", "Brand 2026 | AT", "2"),
                    spend("78", "summer shop", "3"),
                    spend("79", "Brand 2026 | CH", "4"),
                ]
            },
        ),
        ("facebook_ads", {"spend": [spend("1", "Frühling", "5")]}),
    ]
    history = [
        Load(START + timedelta(hours=hour), source, tables)
        for hour, (source, tables) in enumerate(loads)
    ]

    ((warehouse, _),) = replay(one, history, [START + timedelta(days=1)])

    found = warehouse.execute(
        "SELECT channel, campaign, cost, revenue FROM one_marts.fct_campaigns ORDER BY cost"
    ).fetchall()
    assert found == [
        ("It's @Brand", "brand_de", 1, 25),
        ("It's @Brand", "brand_at", 2, 25),
        ("Paid Shopping", "summer shop", 3, 25),
        ("Paid Search", "Brand 2026 | CH", 4, 0),  # nobody named it: its cost is there to see
        ("Paid Social", "It's spring", 5, Decimal(25)),
    ]


def test_only_the_clients_own_models_are_rebuilt(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"clients/{name}.yaml").write_text(settings(name))
    House(tmp_path).enter()
    before = _versions()

    (tmp_path / "clients/one.yaml").write_text(named("one"))

    changed = {name for name, version in _versions().items() if before[name] != version}
    models = {"one_journeys.touchpoints", "one_staging.stg_ad_spend", "one_marts.spend_gaps"}
    assert changed == models


def _versions() -> dict[str, str]:
    warehouse = Warehouse("home")
    versions = {name: model.data_hash for name, model in warehouse.models.items()}
    warehouse.close()
    return versions


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Brand-DE: brand_de", "Brand-DE: ''", "sources.web.aliases.Brand-DE"),
        ('"77": brand_at', '"77": 7', "sources.google_ads.campaigns.77"),
        ('"77": brand_at', "77: brand_at", "sources.google_ads.campaigns.77"),
        ("channel: Social", "channel: unattributed", "sources.facebook_ads.channel: unattributed"),
    ],
)
def test_a_bad_name_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        text := (named("one") if "Brand" in old or "77" in old else settings("one")).replace(
            old, new
        )
    )
    assert new in text

    with pytest.raises(ClientError) as error:
        parse(file)

    assert f"clients/one.yaml: {said}" in str(error.value)
