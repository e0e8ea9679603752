"""Say what a client delivers, and each source's way in."""

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from pipelines.contracts.ad_platforms import PLATFORMS, called, in_order
from pipelines.contracts.ad_platforms import place as place_of
from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.aliases import Aliases, check_aliases, utm_sources
from pipelines.settings.apis import Api, FacebookAdsApi, GoogleAdsApi, SalesforceApi
from pipelines.settings.base import Settings
from pipelines.settings.column_expressions import is_expression, read_expression, target_of
from pipelines.settings.event_columns import check_properties
from pipelines.settings.event_exports import check_events, with_one_export
from pipelines.settings.exports import Export
from pipelines.settings.path_rules import CampaignNames, ChannelName
from pipelines.settings.ready_made import check_format
from pipelines.settings.refund_rows import with_refunds


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

    @model_validator(mode="before")
    @classmethod
    def _read_one_export(cls, written: Any) -> Any:
        """Take the export of `sessions:` for what is made of the same events, where that names none."""
        return with_one_export(written)


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
    """Spend at Facebook Ads, as of all that Meta shows."""

    api: FacebookAdsApi | None = None


OwnPlatform = Annotated[
    str, Field(pattern="^[a-z][a-z0-9]*$"), "a name in small letters, as utm_source has it"
]


class Rates(Settings):
    """What other currencies are worth in the client's own, by day; a rate holds for seven days."""

    rates: Export


class Sources(Settings):
    """What the client delivers; a source that is left out is a source it does not have."""

    web: Web | None = None
    salesforce: Salesforce | None = None
    google_ads: GoogleAds | None = None
    facebook_ads: FacebookAds | None = None
    microsoft_ads: Ads | None = Field(
        None, description="Spend at Microsoft Ads, whose network is bing."
    )
    linkedin_ads: Ads | None = Field(None, description="Spend at LinkedIn Ads.")
    tiktok_ads: Ads | None = Field(None, description="Spend at TikTok Ads.")
    ads: dict[OwnPlatform, Ads] = Field(
        {},
        description="Spend at any other ad platform, by a name of the client's, as `reddit`: that is the network,"
        " as utm_source has it, and `reddit_ads` the source.",
    )
    rates: Rates | None = None

    @field_validator("ads")
    @classmethod
    def _are_not_known_otherwise(cls, ads: dict[str, Ads]) -> dict[str, Ads]:
        for name in ads:
            if known := next((each for each in PLATFORMS if name in utm_sources(each)), ""):
                raise ValueError(f"'{name}' is {known}; write its settings under sources.{known}")
        return ads

    @model_validator(mode="after")
    def _know_the_columns(self) -> "Sources":
        for source, table, feed in self.feeds():
            contract, place = CONTRACTS[source][table], f"{place_of(source)}.{table}"
            known = {name: each for name, each in contract.columns.items() if not each.gathered}
            columns = feed.columns if isinstance(feed, Export) else {}
            if isinstance(feed, Export) and feed.is_ready_made:
                check_format(str(feed.format), source, table, place)
            elif isinstance(feed, Export) and feed.format:
                check_events(str(feed.format), place)
            adds = contract.adds
            if isinstance(feed, Export) and feed.grain == "sum" and not adds:
                raise ValueError(
                    f"{place}.grain: nothing in {place} adds up; leave it out, or write newest"
                )
            if isinstance(feed, Export) and feed.grain == "refunds":
                if (source, table) != ("web", "conversions") or feed.format:
                    raise ValueError(
                        f"{place}.grain: refunds are told of web.conversions with `columns:`; leave it out"
                    )
                if self.web and self.web.refunds:
                    raise ValueError(
                        f"{place}.grain: refunds are rows of these files by it, and web.refunds is there too;"
                        " leave out one of them"
                    )
            if isinstance(feed, Export) and feed.properties:
                check_properties(source, table, feed)
            for column in columns.keys() - known.keys():
                raise ValueError(
                    f"{place}.columns: unknown column '{column}'; use one of {', '.join(known)}"
                )
            for column, unit in feed.unit.items() if isinstance(feed, Export) else ():
                if column in known and known[column].type == "integer":
                    if unit in ("micros", "cents"):
                        raise ValueError(
                            f"{place}.unit: '{column}' counts; write thousands, millions or units"
                        )
                elif column not in known or not known[column].is_money:
                    amounts = [name for name, each in known.items() if each.is_money]
                    raise ValueError(
                        f"{place}.unit: '{column}' is no column of money; "
                        f"use one of {', '.join(amounts) or 'none: the table has no money'}"
                    )
            if isinstance(feed, Export) and feed.in_currency and "currency" not in known:
                raise ValueError(
                    f"{source}.{table}.in_currency: {source}.{table} has no money; leave it out"
                )
            for column in feed.zones if isinstance(feed, Export) else ():
                if column not in known or known[column].type != "timestamp":
                    times = [name for name, each in known.items() if each.type == "timestamp"]
                    raise ValueError(
                        f"{place}.zones: '{column}' is no column of times; "
                        f"use one of {', '.join(times) or 'none: the table has no times of day'}"
                    )
            for column, names in columns.items():
                for name in filter(is_expression, names):
                    try:
                        read_expression(name, target_of(known[column]))
                    except ValueError as error:
                        raise ValueError(f"{source}.{table}.columns.{column}: {error}") from None
                if known[column].required and not columns[column]:
                    raise ValueError(
                        f"{place}.columns: every row needs a {column}; name its column"
                    )
        return self

    @model_validator(mode="after")
    def _have_clear_aliases(self) -> "Sources":
        if self.web:
            names = {name: self.settings_of(name).campaigns for name in self.platforms}
            check_aliases(self.web.aliases, names)
        return self

    @property
    def platforms(self) -> list[str]:
        """Return the ad platforms that the client has."""
        own = [called(name) for name in self.ads]
        return in_order([*(name for name, each in self if isinstance(each, Ads)), *own])

    def feeds(self) -> list[tuple[str, str, Export | Api]]:
        """Return (source, table, way in) of everything that is delivered."""
        feeds = [
            (source, table, feed)
            for source in dict.fromkeys([*CONTRACTS, *self.platforms])
            if (settings := self.settings_of(source))
            for table in CONTRACTS[source]
            if (feed := getattr(settings, "api", None) or getattr(settings, table, None))
        ]
        return with_refunds(feeds)

    def settings_of(self, source: str) -> Any:
        """Return the settings of a source; None if the client does not have it."""
        own = {called(name): settings for name, settings in self.ads.items()}
        return own.get(source) or getattr(self, source, None)

    def reading(self, source: str, table: str, export: Export) -> "Sources":
        """Return the sources with another export for a table."""
        settings = self.settings_of(source).model_copy(update={table: export})
        own = {name: settings for name in self.ads if called(name) == source}
        return self.model_copy(update={"ads": self.ads | own} if own else {source: settings})

    def of(self, source: str) -> dict[str, Export | Api]:
        """Return a source's tables, each with its way in."""
        return {table: feed for name, table, feed in self.feeds() if name == source}
