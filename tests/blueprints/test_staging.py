"""Which staging models and ad platforms a client has."""

from pipelines.blueprints.staging import Staging, staging
from pipelines.settings.client import Client
from tests.conftest import House


def of(house: House, **sources: dict | None) -> Staging:
    """Return the variables of acme with other sources; None is one that its file leaves out."""
    acme = house.client("acme").model_dump(exclude_unset=True)
    changed = {name: one for name, one in (acme["sources"] | sources).items() if one}
    client = Client.model_validate(acme | {"sources": changed})
    return staging(client, client.attribution)


def test_a_platform_that_is_left_keeps_its_spend(house: House) -> None:
    left = {"google_ads": None}
    assert of(house).ad_platforms == "google_ads facebook_ads"
    assert of(house, **left).ad_platforms == "facebook_ads"

    (house.home / "lake/acme/google_ads").mkdir(parents=True)

    assert of(house, **left).ad_platforms == "google_ads facebook_ads"
    assert "google_ads" not in of(house, **left).ad_channels  # the setting is gone with its file


def test_platforms_are_told_apart_by_name(house: House) -> None:
    spend = {"spend": {"files": "x"}}
    found = of(house, google_ads=spend | {"campaigns": {"1": "one"}}, facebook_ads=spend)

    assert found.ad_channels == "NULL::TEXT"
    assert found.ad_campaigns == (
        "CASE platform WHEN 'google_ads' THEN"
        " CASE WHEN campaign_id = '1' THEN 'one' WHEN campaign = '1' THEN 'one' END END"
    )


def test_a_table_that_is_delivered_has_its_model_where_only_some_clients_have_it(
    house: House,
) -> None:
    rates = {"rates": {"files": "x"}}
    assert not of(house).optional["has_rates"] and of(house, rates=rates).optional["has_rates"]
    assert "stg_rates" in of(house, rates=rates).staging_models.split()
    assert "stg_rates" not in of(house).staging_models.split()
