"""Say which column of ours an export's column is, by what exports are known to call it."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pipelines.contracts.ad_platforms import PLATFORMS, is_ad_platform
from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.currencies import minor_digits

_KNOWN = Path(__file__).with_name("known_names.yaml")
_ROOMS = ("metrics", "segments")  # what Google's API writes before a name


class Known(NamedTuple):
    """What exports call the columns of a table; what a table of another kind has; what stands in."""

    columns: dict[str, list[str]]
    others: list[str]
    instead: dict[str, list[str]]


@cache
def known(source: str, table: str) -> Known | None:
    """Return what is known of a table's columns; the ad platforms share one list."""
    kind = "ads" if is_ad_platform(source) else source
    if not (found := _file().get(f"{kind}.{table}")):
        return None
    return Known(found["columns"], found.get("not", []), found.get("instead", {}))


@cache
def all_names() -> frozenset[str]:
    """Return every name that is known of any table, in its plain form."""
    lists = [names for kind in _file().values() for names in kind.get("columns", {}).values()]
    words = {
        column
        for tables in CONTRACTS.values()
        for each in tables.values()
        for column in each.columns
    }
    return frozenset(_letters(name) for names in lists for name in names) | {
        _letters(w) for w in words
    }


def further_platforms() -> list[str]:
    """Return the ad platforms that are known by name, and that have no key of their own."""
    return [platform for platform in _file()["platforms"] if platform not in PLATFORMS]


def platform_words(platform: str) -> list[str]:
    """Return the words in the names of files and folders by which a report is one of an ad platform."""
    return _file()["platforms"].get(platform, [])


def matched(table: Known, names: Collection[str]) -> dict[str, list[str]]:
    """Return, by column of ours, the export's columns that may be it, the surest first."""
    forms = {name: plain_forms(name) for name in names}
    found: dict[str, list[str]] = {}
    for column, called in table.columns.items():
        wanted = [_letters(column), *map(_letters, called)]
        places = {
            name: min((wanted.index(form) for form in its if form in wanted), default=-1)
            for name, its in forms.items()
        }
        if there := sorted((place, name) for name, place in places.items() if place >= 0):
            found[column] = [name for _, name in there]
    return found


def held(words: Iterable[str], names: Collection[str]) -> list[str]:
    """Return the names of an export that are among some words."""
    wanted = set(map(_letters, words))
    return [name for name in names if wanted.intersection(plain_forms(name))]


def is_known(name: str) -> bool:
    """Return whether a name is one that exports are known to have."""
    return not all_names().isdisjoint(plain_forms(name))


@cache
def plain_forms(name: str) -> list[str]:
    """Return a name without what differs from export to export, whole first, then without brackets."""
    words = [re.findall(r"[^\W_]+", text) for text in (name, re.sub(r"[(\[].*?[)\]]", " ", name))]
    kept = [[word for word in each if word.upper() not in minor_digits()] for each in words]
    bare = [each[1:] for each in kept if each[:1] and each[0].lower() in _ROOMS]
    without_micros = [each[:-1] for each in kept + bare if each and each[-1].lower() == "micros"]
    joined = [_letters(" ".join(each)) for each in [*words, *kept, *bare, *without_micros]]
    return list(dict.fromkeys(filter(None, joined)))


@cache
def _letters(name: str) -> str:
    """Return the letters and digits of a name, small and without accents: `Währung` is `wahrung`."""
    flat = unicodedata.normalize("NFKD", name.casefold())
    return "".join(re.findall(r"[^\W_]", "".join(c for c in flat if not unicodedata.combining(c))))


@cache
def _file() -> dict[str, Any]:
    return yaml.safe_load(_KNOWN.read_text(encoding="utf-8"))
