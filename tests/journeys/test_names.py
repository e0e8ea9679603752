"""What a client calls its channels and campaigns: spend and credit meet on one name, and nobody else is rebuilt."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

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
        aliases="""{Brand-DE: brand_de, spring: "It's spring", sale: {facebook_ads: Sale}}""",
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


PAGE = Path(__file__).parents[2] / "docs/clients.md"


def _example() -> dict:
    """Return the aliases of the page about clients."""
    blocks = re.findall("```yaml\n(.+?)```", PAGE.read_text(), re.DOTALL)
    (block,) = (block for block in blocks if "Our Brand" in block)
    return yaml.safe_load(block)["sources"]["web"]["aliases"]


SCOPED = json.dumps(_example() | {"55": {"fb": "Meta Brand"}, "sale": "Sale"})


def scoped(name: str, aliases: str = SCOPED, campaigns: str = "{}") -> str:
    """Return the file of a client with some aliases, and other names at Facebook."""
    return settings(name, aliases=aliases, campaigns=campaigns).replace("channel: Social", "")


def test_a_name_of_one_source_holds_for_its_visits_and_its_spend(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Of two clients with the same history, one has names by source: no cent is lost or added."""
    home = tmp_path_factory.mktemp("scoped")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(scoped("one"))
    (home / "clients/two.yaml").write_text(scoped("two", aliases="{}"))
    House(home).enter()
    at, ways = "2026-08-31 12:00:00", [
        {"source": "google", "medium": "cpc"},
        {"source": None, "medium": None, "gclid": "x"},
        {"source": "Facebook", "medium": "paid_social"},
        {"source": "ig", "medium": "cpc"},
        {"source": "fb", "medium": "cpc", "campaign": "55"},
        {"source": "newsletter", "medium": "email", "fbclid": "x"},
        {"source": "newsletter ", "medium": "email"},
        {"source": "partner", "medium": "cpc"},
        {"source": "partner", "medium": "cpc", "campaign": "sale"},
    ]  # fmt: skip
    sessions = [
        session(number, at, **{"customer_id": f"customer-{number}", "campaign": "Brand"} | way)
        for number, way in enumerate(ways)
    ]
    deals = [
        deal(number, f"customer-{number}", "2026-08-31 18:00:00") for number, _ in enumerate(ways)
    ]
    loads = [
        ("web", {"sessions": sessions}),
        ("salesforce", {"opportunities": deals}),
        ("google_ads", {"spend": [spend("76", "Brand", "1.01"), spend("55", "sale", "2.03")]}),
        ("facebook_ads", {"spend": [spend("76", "Brand", "4.07"), spend("55", "x", "8.11")]}),
    ]
    history = [
        Load(START + timedelta(hours=hour), source, tables)
        for hour, (source, tables) in enumerate(loads)
    ]

    found = {}
    for client, models in render("one", "two").items():
        ((warehouse, _),) = replay(models, history, [START + timedelta(days=1)])
        found[client] = warehouse.execute(
            f"SELECT channel, campaign, cost::TEXT, revenue::TEXT FROM {client}_marts.fct_campaigns"
        ).fetchall()

    assert {row[:2]: tuple(map(Decimal, row[2:])) for row in found["one"]} == {
        ("Paid Search", "Google Brand"): (Decimal("1.01"), 200),
        ("Paid Search", "sale"): (
            Decimal("2.03"),
            0,
        ),  # as before: an alias of all is one of visits
        ("Paid Social", "Meta Brand"): (Decimal("12.18"), 400),  # a click id says whose click it is
        ("Email", "Our Brand"): (0, 100),
        ("Paid Other", "Brand"): (0, 100),
        ("Paid Other", "Sale"): (0, 100),
    }
    for column in (2, 3):
        one, two = (sum(Decimal(row[column]) for row in found[client]) for client in found)
        assert one == two > 0


def test_names_of_events_hold_for_one_source(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    (tmp_path / "clients/one.yaml").write_text(settings("one", aliases=SCOPED, table="events"))
    House(tmp_path).enter()
    event = {"client_id": "ann", "event_type": "page_view", "campaign_id": "Brand"}
    views = [
        event | {"event_time": "2026-08-31 12:00:00", "utm_source": source, "is_deleted": False}
        for source in ("Google.com", "partner")
    ]
    history = [Load(START, "web", {"events": views})]

    ((warehouse, _),) = replay(render("one")["one"], history, [START + timedelta(days=1)])

    found = warehouse.execute("SELECT campaign FROM one_journeys.touchpoints ORDER BY 1").fetchall()
    assert found == [("Brand",), ("Google Brand",)]


@pytest.mark.parametrize(
    ("aliases", "campaigns", "said"),
    [
        ("{a: {tiktok_ads: b}}", "{}", "web.aliases.a.tiktok_ads: the client has no source tiktok_ads; its ad"
         " platforms are: google_ads, facebook_ads"),
        ("{a: {gogle_ads: b}}", "{}", "web.aliases.a.gogle_ads: the client has no source gogle_ads"),
        ("{a: {fb: b, facebook_ads: c}}", "{}", "it is 'b', and 'c' by another name of the same source, facebook_ads"),
        ("{a: {fb: b}, b: {ig: c}}", "{}", "web.aliases.a: of facebook_ads it is 'b', which is an alias of 'c' again"),
        ("{a: {fb: b}, b: c}", "{}", "web.aliases.a: of facebook_ads it is 'b', which is an alias of 'c' again"),
        ("{a: b, b: {news: c}}", "{}", "web.aliases.a: of news it is 'b', which is an alias of 'c' again"),
        ("{a: {fb: b}}", "{a: d}", "web.aliases.a.fb: its visits would be 'b', and its spend 'd' by"
         " facebook_ads.campaigns"),
        ("{a: {fb: ''}}", "{}", "sources.web.aliases.a: write text that is not empty, or a name for each source, as"),
        ("{a: {'': b}}", "{}", "sources.web.aliases.a: write text that is not empty, or a name for each source"),
        ("{a: {}}", "{}", "sources.web.aliases.a: write"),
        ("{a: [b]}", "{}", "sources.web.aliases.a: write"),
    ],
)  # fmt: skip
def test_an_unclear_name_of_one_source_is_refused(
    tmp_path: Path, aliases: str, campaigns: str, said: str
) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(scoped("one", aliases, campaigns))

    with pytest.raises(ClientError) as error:
        parse(file)

    assert said in str(error.value)


@pytest.mark.parametrize(
    ("aliases", "campaigns"),
    [
        ("{a: b, b: a, c: {fb: d}}", "{a: b}"),  # names of every source are as they were
        ("{a: {fb: b, facebook: b}}", "{a: b, '7': a}"),
        ("{a: {fb: b}, b: {news: c}}", "{}"),
    ],
)
def test_clear_names_are_taken(tmp_path: Path, aliases: str, campaigns: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(scoped("one", aliases, campaigns))

    assert parse(file).sources.web.aliases


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
