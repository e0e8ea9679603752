"""Turn what a client delivers into the variables of its staging models."""

from pipelines.blueprints.channels import renamed
from pipelines.contracts.catalog import sources_of, tables
from pipelines.home import lake_folder
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.settings.needs import staged
from pipelines.settings.sources import Ads
from pipelines.sql import literal


def variables(client: Client, attribution: Attribution) -> dict[str, object]:
    """Return which staging models the client has, and the facts of its ad platforms."""
    taken = staged(attribution, client.sources)
    flags = {
        contract.flag: (source, table) in taken
        for source, table, contract in tables()
        if contract.is_optional
    }
    models = [contract.staged_by for _, _, contract in tables() if flags.get(contract.flag, True)]
    return {
        **flags,
        "staging_models": " ".join(dict.fromkeys(models)),
        **_ad_platforms(client),
    }


def _ad_platforms(client: Client) -> dict[str, str]:
    """Return the platforms, and in SQL over `platform`: its channel, and what a campaign is called.

    A platform that the client has left keeps its spend: it is still in the lake.
    """
    platforms: dict[str, Ads] = {
        source: getattr(client.sources, source) or Ads.model_construct()
        for source in sources_of("stg_ad_spend")
        if getattr(client.sources, source) or (lake_folder() / client.id / source).exists()
    }
    channels = {name: literal(ads.channel) for name, ads in platforms.items() if ads.channel}
    campaigns = {
        name: renamed(ads.campaigns, "campaign_id", "campaign")
        for name, ads in platforms.items()
        if ads.campaigns
    }
    return {
        "ad_platforms": " ".join(platforms),
        "ad_channels": _by_platform(channels),
        "ad_campaigns": _by_platform(campaigns),
    }


def _by_platform(values: dict[str, str]) -> str:
    """Return a CASE over `platform`: `CASE platform WHEN 'facebook_ads' THEN 'Social' END`."""
    branches = " ".join(f"WHEN {literal(name)} THEN {value}" for name, value in values.items())
    return f"CASE platform {branches} END" if branches else "NULL::TEXT"
