"""Find the zone of times without an offset: the client's file says it, or the name of their column.

`Created date (UTC)`, `created_utc`, `createdAtUtc`, `At [GMT+1]` and `Created (Europe/Berlin)` say one. `Time (PST)`
does not: in summer Los Angeles has another time, and who labels columns so mostly means the city's
clock. What may be meant is asked for.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Export
from pipelines.settings.time_zones import OWN, areas, iana, nearest, offset
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.zone_abbreviations import abbreviated
from pipelines.sources.files.zone_words import area, in_words, says_utc

_UTC = r"(?:UTC|GMT)(?:\s*[+\u2212-]\s*\d{1,2}(?::?\d{2})?)?"
_AT_ITS_END = re.compile(rf"(?:[(\[]\s*|[ _-])({_UTC})\s*[)\]]?\s*$", re.IGNORECASE)
_IN_BRACKETS = re.compile(rf"[(\[]\s*({_UTC}|[+\u2212-]\d{{2}}:?\d{{2}})\s*[)\]]", re.IGNORECASE)
_AS_A_WORD = re.compile(
    r"(?<![^ _.(-])(?i:UTC|GMT)[ _.-]+(?=[A-Za-z(])|[a-z\d](?:Utc|UTC|Gmt|GMT)$|^(?:utc|gmt|Utc)(?=[A-Z])"
)
_OF_ANOTHER = re.compile(
    r"[+\u2212-]\s*\d|offset|local|like|ish\b", re.IGNORECASE
)  # `local_by_utc_offset`
_CITY = re.compile(r"[A-Za-z]+(?:/[A-Za-z][A-Za-z_+\d-]*(?: [A-Za-z_]+)*)+")


class _Said(NamedTuple):
    """What a column's name says of its zone: which it is; or only `what` it is called, and what may be meant."""

    zone: str = ""
    what: str = ""
    candidates: tuple[str, ...] = ()
    is_unknown: bool = False

    @property
    def why(self) -> str:
        """Return why the zone is asked for."""
        if self.candidates and not self.is_unknown:
            others = (
                "several zones"
                if len(self.candidates) > 1
                else f"the clock of {self.candidates[0]}"
            )
            return f"{self.what} may be {others}"
        return f"nobody knows the zone {self.what}"


def zones(export: Export, contract: Contract, own: str) -> dict[str, str]:
    """Return the zone of each column of times that has another than the client's `own`: `+00:00`, `Europe/Berlin`."""
    said = {name: found.zone for name, found in _named(export, contract)}
    return {
        name: zone for name, zone in (said | export.zones).items() if zone not in ("", OWN, own)
    }


def ask_for_zones(
    refused: Callable[..., ExportError], export: Export, contract: Contract, columns: Iterable[str]
) -> None:
    """Raise ExportError if times are read from a column whose name may mean several zones."""
    asked = {
        name: found
        for name, found in _named(export, contract)
        if found.what and name in columns and name not in export.zones
    }
    if not asked:
        return
    said = "; ".join(
        f"{name} is read from {' '.join(export.names(name))}, and {found.why}"
        for name, found in asked.items()
    )
    readings = max((found.candidates for found in asked.values()), key=len)
    remedies = [
        _remedy(
            export,
            {name: ((found.candidates or (OWN,)) * 9)[place] for name, found in asked.items()},
        )
        for place in range(len(readings))
    ]
    raise refused(said, remedies=[*remedies, _remedy(export, dict.fromkeys(asked, OWN))])


def _remedy(export: Export, chosen: dict[str, str]) -> Remedy:
    zone = next(iter(chosen.values()))
    if zone == OWN:
        meaning = "the times are in the client's own zone"
    elif offset(zone):
        meaning = f"they are {zone} in summer and winter"
    else:
        meaning = f"they are what clocks show in {zone.rpartition('/')[2].replace('_', ' ')}"
    written = ", ".join(f"{name}: {each}" for name, each in (export.zones | chosen).items())
    return Remedy(f"zones: {{{written}}}", meaning=meaning)


def _named(export: Export, contract: Contract) -> Iterator[tuple[str, _Said]]:
    """Yield what the names of the columns of times say, where they say anything."""
    if export.format:
        return
    for name, column in contract.columns.items():
        if column.type == "timestamp":
            found = [said for part in export.names(name) if any(said := _said(part))]
            if found:
                yield name, found[0]


def _said(name: str) -> _Said:
    for text in _CITY.findall(name):
        if city := _city(text):
            return _Said(city)
        if text.partition("/")[0].lower() in areas():
            return _Said(what=text, candidates=nearest(text), is_unknown=True)
    what, candidates = area(name)
    what, candidates = (what, candidates) if candidates else abbreviated(name)
    if not candidates:
        what, candidates = in_words(name)
    if found := _AT_ITS_END.search(name) or _IN_BRACKETS.search(name):
        after = name[found.end() :].strip(" )]")
        if after and re.search("[+\u2212-]", found[1]):  # (GMT-08:00) Pacific Time: in summer, too?
            return _Said(what=f"{found[1]} {after}", candidates=(*candidates[:1], found[1].upper()))
        return _Said(zone) if (zone := offset(found[1])) else _Said(what=found[1])
    if says_utc(name):
        return _Said(offset("UTC"))
    if not what and _AS_A_WORD.search(name):
        return _Said(what=name) if _OF_ANOTHER.search(name) else _Said(offset("UTC"))
    return _Said(what=what, candidates=candidates)


def _city(text: str) -> str:
    """Return the zone that a text begins with: `America/New York time` begins with one."""
    words = text.split(" ")
    return next(filter(None, (iana(" ".join(words[:end])) for end in range(len(words), 0, -1))), "")
