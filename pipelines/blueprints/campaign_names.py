"""Turn the names by which campaigns are reported into SQL, for visits and for spend."""

from collections.abc import Iterable

from pipelines.contracts.ad_platforms import network
from pipelines.settings.aliases import Aliases, scopes, unscoped, utm_sources
from pipelines.sql import literal


def renamed(names: dict[str, str], *columns: str) -> str:
    """Return SQL for the new name of a value of one of the columns; NULL for values without one.

    `renamed({"7": "spring"}, "campaign_id", "campaign")` is `CASE WHEN campaign_id = '7' THEN 'spring'
    WHEN campaign = '7' THEN 'spring' END`: columns count in the order given.
    """
    branches = " ".join(
        f"WHEN {column} = {literal(old)} THEN {literal(new)}"
        for column in columns
        for old, new in names.items()
    )
    return f"CASE {branches} END" if branches else "NULL::TEXT"


def visits_renamed(aliases: Aliases, platforms: Iterable[str]) -> str:
    """Return SQL for the name of a visit's campaign; NULL where it has no other.

    It reads `campaign`, `source` and `ad_network`: a click id says whose ad it was, else utm_source does.
    """
    platforms = list(platforms)
    of_one_source = [
        f"CASE WHEN {_is_of(source, source in platforms)} THEN {renamed(names, 'campaign')} END"
        for source, names in scopes(aliases, platforms).items()
    ]
    always = renamed(unscoped(aliases), "campaign")
    return f"COALESCE({', '.join([*of_one_source, always])})" if of_one_source else always


def spend_renamed(campaigns: dict[str, str], aliases: Aliases, platform: str) -> str:
    """Return SQL for the name of a platform's campaign, as its visits have it; NULL where it has no other.

    It reads `campaign_id` and `campaign`. What `campaigns` calls it stands in utm_campaign, so that an
    alias of the platform's holds for that name, too.
    """
    names = scopes(aliases, [platform]).get(platform, {})
    own = renamed({old: names.get(new, new) for old, new in campaigns.items()}, *_SPENT)
    return f"COALESCE({own}, {renamed(names, *_SPENT)})" if names else own


_SPENT = ("campaign_id", "campaign")


def _is_of(source: str, is_platform: bool) -> str:
    """Return SQL for whether a visit came by a source."""
    tagged = "LOWER(TRIM(COALESCE(source, ad_network)))"
    if not is_platform:
        return f"{tagged} = {literal(source)}"
    values = ", ".join(map(literal, utm_sources(source)))
    return (
        f"ad_network = {literal(network(source))} OR ad_network IS NULL AND {tagged} IN ({values})"
    )
