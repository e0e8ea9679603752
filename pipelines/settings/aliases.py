"""Say by what name a campaign is reported: that of every visit, or of one source's visits and spend alone."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import Field

from pipelines.contracts.ad_platforms import is_ad_platform, network

Name = Annotated[str, Field(min_length=1)]
BySource = Annotated[
    dict[Name, Name],
    Field(min_length=1),
    "a name for each source, as {google_ads: Google Brand}",
]
Aliases = dict[Name, Name | BySource]

# What utm_source says of an ad platform's clicks beside its own name and its network's, such as
# facebook_ads and facebook. Meta writes fb, ig, msg and an for {{site_source_name}}.
_ALSO = {
    "google_ads": ("google.com", "adwords", "googleads"),
    "facebook_ads": ("facebook.com", "fb", "ig", "instagram", "instagram.com", "meta", "msg", "an"),
    "microsoft_ads": ("bing.com", "microsoft", "bingads", "microsoftads"),
    "linkedin_ads": ("linkedin.com",),
    "tiktok_ads": ("tiktok.com",),
}


def utm_sources(platform: str) -> tuple[str, ...]:
    """Return what utm_source says of a platform's clicks, in small letters."""
    return platform, network(platform), *_ALSO.get(platform, ())


def scopes(aliases: Aliases, platforms: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return by source the names that hold for it alone: ad platforms first, then by utm_source.

    `scopes({"Brand": {"fb": "Meta Brand"}}, ["facebook_ads"])` is `{"facebook_ads": {"Brand": "Meta
    Brand"}}`: what is tagged so is the platform's, whose spend cannot be told apart.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in platforms}
    for campaign, source, name in _scoped(aliases):
        found.setdefault(_scope(source, platforms), {})[campaign] = name
    return {source: names for source, names in found.items() if names}


def unscoped(aliases: Aliases) -> dict[str, str]:
    """Return the names that hold whatever the source."""
    return {campaign: name for campaign, name in aliases.items() if isinstance(name, str)}


def check_aliases(aliases: Aliases, platforms: Mapping[str, Mapping[str, str]]) -> None:
    """Raise ValueError, by the first alias that is unclear; `platforms` have the names of their campaigns.

    An alias of one source is unclear if there is no such source, if another one names the same campaign
    otherwise, or if its name has an alias again.
    """
    by_source = scopes(aliases, platforms)
    for campaign, source, name in _scoped(aliases):
        place, scope = f"web.aliases.{campaign}.{source}", _scope(source, platforms)
        if is_ad_platform(scope) and scope not in platforms:
            known = ", ".join(platforms) or "none"
            raise ValueError(
                f"{place}: the client has no source {source}; its ad platforms are: {known}. Write one"
                " of these, or what utm_source says, as newsletter"
            )
        names = by_source[scope]
        if names[campaign] != name:
            raise ValueError(
                f"{place}: it is '{name}', and '{names[campaign]}' by another name of the same source,"
                f" {scope}; write it once"
            )
        spent = platforms.get(scope, {}).get(campaign, campaign)
        if names.get(spent, spent) != name:
            raise ValueError(
                f"{place}: its visits would be '{name}', and its spend '{spent}' by"
                f" {scope}.campaigns; write one name, or leave one of them out"
            )
    for source, names in by_source.items():
        _refuse_chains(source, names, unscoped(aliases))


def _refuse_chains(source: str, names: dict[str, str], others: dict[str, str]) -> None:
    """Raise ValueError if a name is itself an alias, of which one of the two holds for a source alone."""
    for campaign, name in (others | names).items():
        again = (others | names).get(name, name)
        if again != name and (campaign in names or name in names):
            raise ValueError(
                f"web.aliases.{campaign}: of {source} it is '{name}', which is an alias of '{again}'"
                f" again; write '{again}' for both, or rename one"
            )


def _scoped(aliases: Aliases) -> Iterator[tuple[str, str, str]]:
    for campaign, names in aliases.items():
        for source, name in names.items() if isinstance(names, dict) else ():
            yield campaign, source, name


def _scope(source: str, platforms: Iterable[str]) -> str:
    """Return the ad platform whose clicks a source names, or else the source, in small letters."""
    written = source.strip().lower()
    return next((each for each in platforms if written in utm_sources(each)), written)
