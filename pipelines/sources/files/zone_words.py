"""Know zones that names of columns tell in words: `Paris time`, `(Z)`, `EST5EDT`, `W. Europe Standard Time`."""

import re
from functools import cache

from pipelines.settings.time_zones import time_zones
from pipelines.sources.files.zone_abbreviations import candidates

_TIME = (
    r"(?:local[ _-]*)?(?:time(?:[ _-]?zone)?|tz|zone|clock|(?:orts|uhr)?zeit|heure|hora)(?![a-z])"
)

_OF_UTC = re.compile(
    r"[(\[]\s*[Zz]\s*[)\]]|[ _-][zZ]\s*$|(?i:(?<![a-z])(?:zulu|uct|gmt0|utc0)(?![a-z\d])"
    r"|(?<![a-z])(?:coordinated[ _-]+)?universal[ _-]+time(?![a-z])|greenwich[ _-]+mean[ _-]+time)"
)

# As Unix writes a zone: its winter, how far it is behind UTC, its summer.
_POSIX = re.compile(r"(?<![A-Za-z\d])([A-Z]{3,4})[+-]?\d{1,2}([A-Z]{3,4})?(?![A-Za-z\d])")

# As Windows and people write one.
_SPELT = re.compile(
    r"(?i)(?<![a-z])((?:[a-z][a-z.]* ){0,2}[a-z][a-z.]*)[ _-](standard|daylight|summer|winter)[ _-]time(?![a-z])"
)

_AREAS = {
    "gmt": "Europe/London",
    "british": "Europe/London",
    "w. europe": "Europe/Berlin",
    "romance": "Europe/Paris",
    "central europe": "Europe/Budapest",
    "e. europe": "Europe/Chisinau",
    "gtb": "Europe/Athens",
    "fle": "Europe/Kyiv",
    "russian": "Europe/Moscow",
    "turkey": "Europe/Istanbul",
    "israel": "Asia/Jerusalem",
    "arab": "Asia/Riyadh",
    "arabian": "Asia/Dubai",
    "india": "Asia/Kolkata",
    "china": "Asia/Shanghai",
    "japan": "Asia/Tokyo",
    "korea": "Asia/Seoul",
    "aus eastern": "Australia/Sydney",
    "new zealand": "Pacific/Auckland",
    "hawaiian": "Pacific/Honolulu",
    "atlantic": "America/Halifax",
}

# Countries with one clock, and old names of zones.
_COUNTRIES = {
    "cuba": "America/Havana",
    "egypt": "Africa/Cairo",
    "eire": "Europe/Dublin",
    "ireland": "Europe/Dublin",
    "gb": "Europe/London",
    "uk": "Europe/London",
    "greenwich": "Europe/London",
    "hongkong": "Asia/Hong_Kong",
    "iceland": "Atlantic/Reykjavik",
    "iran": "Asia/Tehran",
    "israel": "Asia/Jerusalem",
    "jamaica": "America/Jamaica",
    "japan": "Asia/Tokyo",
    "nz": "Pacific/Auckland",
    "poland": "Europe/Warsaw",
    "prc": "Asia/Shanghai",
    "roc": "Asia/Taipei",
    "rok": "Asia/Seoul",
    "singapore": "Asia/Singapore",
    "turkey": "Europe/Istanbul",
    "germany": "Europe/Berlin",
    "france": "Europe/Paris",
    "italy": "Europe/Rome",
    "india": "Asia/Kolkata",
}


def says_utc(name: str) -> bool:
    """Return whether a column's name calls UTC by another of its names: `(Z)`, `Zulu`."""
    return bool(_OF_UTC.search(name))


def area(name: str) -> tuple[str, tuple[str, ...]]:
    """Return what a column's name calls standard time of an area, and its zone, if that is known: `India Standard Time`."""
    if not (found := _SPELT.search(name)):
        return "", ()
    words = _plain(found[1])  # Sold India: it ends in one
    ends = [each for each in _AREAS if words == each or words.endswith(f" {each}")]
    return found[0], (_AREAS[max(ends, key=len)],) if ends else ()


def in_words(name: str) -> tuple[str, tuple[str, ...]]:
    """Return how a column's name calls its zone in words, and which zones that may be; nothing if it calls none."""
    for found in _POSIX.finditer(name):
        if meant := candidates(found[1]):
            return found[0], meant[:1] if found[2] else meant
    for form in _places(tuple(city for city in _cities() if city in _plain(name))):
        if place := form.search(name):
            return place[0].strip(" ()[]_-"), (_cities()[_plain(place[1])],)
    return area(name)


def _plain(words: str) -> str:
    return re.sub(r"[ _-]+", " ", words).lower()


@cache
def _cities() -> dict[str, str]:
    """Return the cities that zones are called after, and countries with one clock, with their zones."""
    areas = ("Europe/", "America/", "Asia/", "Africa/", "Australia/")
    named = {
        _plain(zone.rpartition("/")[2]): zone
        for zone in sorted(time_zones())
        if zone.startswith(areas) and zone.count("/") == 1
    }
    return named | _COUNTRIES


@cache
def _places(cities: tuple[str, ...]) -> list[re.Pattern[str]]:
    """Return the forms in which a name tells one of some places: `Paris time`, `(Paris)`, `local_time_paris`."""
    if not cities:
        return []
    words = (re.escape(each).replace(r"\ ", "[ _-]") for each in cities)
    place = f"({'|'.join(sorted(words, key=len, reverse=True))})"
    return [
        re.compile(rf"(?i)[(\[]\s*{place}\s*[)\]]"),
        re.compile(rf"(?i)(?<![a-z]){place}(?:'s)?[ _-]+{_TIME}"),
        re.compile(rf"(?i)(?<![a-z])(?:local|time|zone|tz)[ _-]+(?:in[ _-]+|of[ _-]+)?{place}(?![a-z])"),
        re.compile(rf"(?i)(?<![a-z]){place}[ _-]+local(?![a-z])"),
    ]  # fmt: skip
