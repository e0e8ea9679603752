"""The variables of staging: which models a client has, by what it delivers and asks for."""

from pydantic import Field

from pipelines.blueprints.campaign_names import spend_renamed
from pipelines.blueprints.variables import Sql, Value, Variables
from pipelines.contracts.ad_platforms import found_in, in_order
from pipelines.contracts.catalog import tables
from pipelines.home import lake_folder
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.settings.needs import staged
from pipelines.settings.sources import Ads
from pipelines.sql import literal


class Staging(Variables):
    """Which staging models the client has, and what the spend of its ad platforms is called."""

    optional: dict[str, bool] = Field(
        description="Whether the client has {model}, which only some clients have."
    )
    staging_models: str = Field(description="The staging models that the client has.")
    ad_platforms: str = Field(description="The platforms with spend, that it has or had.")
    ad_channels: Sql = Field(
        description="The channel of a `platform`'s spend; NULL if it has that of its clicks."
    )
    ad_campaigns: Sql = Field(
        description="What a campaign is called, by `platform`; NULL if as the platform calls it."
    )

    def variables(self) -> dict[str, Value]:
        """Return each variable by its name; each optional model has one of its own."""
        return self.optional | {name: value for name, value in self if name != "optional"}

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return the description of each variable."""
        own = super().descriptions()
        optional = own.pop("optional")
        models = {each.flag: each.staged_by for _, _, each in tables() if each.is_optional}
        return {flag: optional.format(model=model) for flag, model in models.items()} | own


def staging(client: Client, attribution: Attribution) -> Staging:
    """Return which staging models the client has, and the facts of its ad platforms."""
    taken = staged(attribution, client.sources)
    optional = {
        contract.flag: (source, table) in taken
        for source, table, contract in tables()
        if contract.is_optional
    }
    models = [
        contract.staged_by for _, _, contract in tables() if optional.get(contract.flag, True)
    ]
    return Staging(
        optional=optional,
        staging_models=" ".join(dict.fromkeys(models)),
        **_ad_platforms(client),
    )


def _ad_platforms(client: Client) -> dict[str, str]:
    """Return the platforms, and in SQL over `platform`: its channel, and what a campaign is called.

    A platform that the client has left keeps its spend: it is still in the lake.
    """
    platforms: dict[str, Ads] = {
        source: client.sources.settings_of(source) or Ads.model_construct()
        for source in in_order([*client.sources.platforms, *found_in(lake_folder() / client.id)])
    }
    channels = {name: literal(ads.channel) for name, ads in platforms.items() if ads.channel}
    aliases = client.sources.web.aliases if client.sources.web else {}
    campaigns = {
        name: names
        for name, ads in platforms.items()
        if (names := spend_renamed(ads.campaigns, aliases, name)) != "NULL::TEXT"
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
