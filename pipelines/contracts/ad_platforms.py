"""Say what ad platforms are called: as sources, as sites name their networks, in a client's file.

Every source called `<name>_ads` is an ad platform, whose spend is one table of one contract. A client
names further ones itself, under `sources.ads`: its `reddit` is the source `reddit_ads`.
"""

from collections.abc import Iterable
from pathlib import Path

PLATFORMS = ("google_ads", "facebook_ads", "microsoft_ads", "linkedin_ads", "tiktok_ads")
"""Those that have a key of their own under `sources:`."""

_NETWORKS = {"microsoft_ads": "bing"}
"""How utm_source and click ids call a network, where that is not the name of its platform."""

_SUFFIX = "_ads"


def is_ad_platform(source: str) -> bool:
    """Return whether a source is an ad platform, known or a client's own."""
    return source.endswith(_SUFFIX)


def called(name: str) -> str:
    """Return the source that a client's own ad platform is: of reddit, reddit_ads."""
    return f"{name}{_SUFFIX}"


def network(platform: str) -> str:
    """Return the network of an ad platform, as utm_source and click ids have it: of google_ads, google."""
    return _NETWORKS.get(platform, platform.removesuffix(_SUFFIX))


def in_order(platforms: Iterable[str]) -> list[str]:
    """Return each ad platform once: the known ones first, then a client's own by name."""
    had = set(platforms)
    return [*(each for each in PLATFORMS if each in had), *sorted(had.difference(PLATFORMS))]


def place(source: str) -> str:
    """Return where a source stands below `sources:`: reddit_ads, a client's own, at ads.reddit."""
    if is_ad_platform(source) and source not in PLATFORMS:
        return f"ads.{source.removesuffix(_SUFFIX)}"
    return source


def found_in(lake: Path) -> list[str]:
    """Return the ad platforms that one client's lake has a folder of, or had in the past."""
    return sorted(folder.name for folder in lake.glob(f"[a-z]*{_SUFFIX}") if folder.is_dir())
