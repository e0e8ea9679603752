"""Say what a client delivers, and each source's way in."""

from pydantic import Field, model_validator

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.aliases import Aliases, check_aliases
from pipelines.settings.apis import Api, FacebookAdsApi, GoogleAdsApi, SalesforceApi
from pipelines.settings.base import Settings
from pipelines.settings.event_columns import check_properties
from pipelines.settings.exports import Export
from pipelines.settings.path_rules import CampaignNames, ChannelName


class Web(Settings):
    """Web sessions with their costs and conversions, or the events and clients of a shop."""

    sessions: Export | None = None
    events: Export | None = None
    clients: Export | None = None
    conversions: Export | None = None
    refunds: Export | None = None
    session_costs: Export | None = None
    aliases: Aliases = Field(
        {},
        description="By utm_campaign, the name to report it by, where tags differ; or such a name for each source,"
        " of whose visits and spend alone it holds: an ad platform of the file, or a utm_source.",
    )


class Platform(Settings):
    """A source that is either exported to files, or asked by its API where it has the field `api`."""

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Platform":
        fields = type(self).model_fields
        tables = [name for name, field in fields.items() if field.annotation == Export | None]
        exported = [table for table in tables if getattr(self, table)]
        if "api" not in fields and not exported:
            raise ValueError(f"write `{tables[0]}:` for its exports")
        if "api" in fields and bool(getattr(self, "api", None)) == bool(exported):
            raise ValueError(f"write either `{(exported or tables)[0]}:` for exports, or `api:`")
        return self


class Salesforce(Platform):
    """Deals, of which a won one is a conversion, and the people they are about."""

    opportunities: Export | None = None
    contacts: Export | None = None
    contact_roles: Export | None = None
    leads: Export | None = None
    campaign_members: Export | None = None
    api: SalesforceApi | None = None


class Ads(Platform):
    """Spend by day at one ad platform."""

    spend: Export | None = None
    channel: ChannelName | None = Field(
        None, description="Channel of all its spend; left out, spend has the channel of its clicks."
    )
    campaigns: CampaignNames = Field(
        {}, description="By the platform's name or id of a campaign, its name in utm_campaign."
    )


class GoogleAds(Ads):
    """Spend at Google Ads."""

    api: GoogleAdsApi | None = None


class FacebookAds(Ads):
    """Spend at Facebook Ads."""

    api: FacebookAdsApi | None = None


class Rates(Settings):
    """What other currencies are worth in the client's own, by day; a rate holds for seven days."""

    rates: Export


class Sources(Settings):
    """What the client delivers; a source that is left out is a source it does not have."""

    web: Web | None = None
    salesforce: Salesforce | None = None
    google_ads: GoogleAds | None = None
    facebook_ads: FacebookAds | None = None
    rates: Rates | None = None

    @model_validator(mode="after")
    def _know_the_columns(self) -> "Sources":
        for source, table, feed in self.feeds():
            contract = CONTRACTS[source][table]
            known = {name: each for name, each in contract.columns.items() if not each.gathered}
            columns = feed.columns if isinstance(feed, Export) else {}
            if isinstance(feed, Export) and feed.format and (source, table) != ("web", "sessions"):
                raise ValueError(
                    f"{source}.{table}.format: an export of {feed.format} makes web.sessions only; remove it"
                )
            adds = contract.adds
            if isinstance(feed, Export) and feed.grain == "sum" and not adds:
                raise ValueError(
                    f"{source}.{table}.grain: nothing in {source}.{table} adds up; leave it out, or write newest"
                )
            if isinstance(feed, Export) and feed.properties:
                check_properties(source, table, feed)
            for column in columns.keys() - known.keys():
                raise ValueError(
                    f"{source}.{table}.columns: unknown column '{column}'; "
                    f"use one of {', '.join(known)}"
                )
            for column, unit in feed.unit.items() if isinstance(feed, Export) else ():
                if column in known and known[column].type == "integer":
                    if unit in ("micros", "cents"):
                        raise ValueError(
                            f"{source}.{table}.unit: '{column}' counts; write thousands, millions or units"
                        )
                elif column not in known or not known[column].is_money:
                    amounts = [name for name, each in known.items() if each.is_money]
                    raise ValueError(
                        f"{source}.{table}.unit: '{column}' is no column of money; "
                        f"use one of {', '.join(amounts) or 'none: the table has no money'}"
                    )
            for column in feed.zones if isinstance(feed, Export) else ():
                if column not in known or known[column].type != "timestamp":
                    times = [name for name, each in known.items() if each.type == "timestamp"]
                    raise ValueError(
                        f"{source}.{table}.zones: '{column}' is no column of times; "
                        f"use one of {', '.join(times) or 'none: the table has no times of day'}"
                    )
            for column in columns:
                if known[column].required and not columns[column]:
                    raise ValueError(
                        f"{source}.{table}.columns: every row needs a {column}; name its column"
                    )
        return self

    @model_validator(mode="after")
    def _have_clear_aliases(self) -> "Sources":
        if self.web:
            names = {name: getattr(self, name).campaigns for name in self.platforms}
            check_aliases(self.web.aliases, names)
        return self

    @property
    def platforms(self) -> list[str]:
        """Return the ad platforms that the client has."""
        return [name for name, settings in self if isinstance(settings, Ads)]

    def feeds(self) -> list[tuple[str, str, Export | Api]]:
        """Return (source, table, way in) of everything that is delivered."""
        return [
            (source, table, feed)
            for source, tables in CONTRACTS.items()
            if (settings := getattr(self, source))
            for table in tables
            if (feed := getattr(settings, "api", None) or getattr(settings, table, None))
        ]

    def of(self, source: str) -> dict[str, Export | Api]:
        """Return a source's tables, each with its way in."""
        return {table: feed for name, table, feed in self.feeds() if name == source}
