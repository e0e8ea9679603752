"""Know the zones of times: IANA's names, as `Europe/Berlin`, and distances from UTC, as `UTC+2`."""

import difflib
import re
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator

OWN = "client"  # what is written for times in the client's own zone
_FURTHEST = 14  # hours from UTC that a zone is


@cache
def time_zones() -> set[str]:
    """Return IANA's names; `localtime` is a machine's own setting, which the database does not know."""
    return available_timezones() - {"localtime", "Factory", "posixrules"}


def offset(written: str) -> str:
    """Return a distance from UTC as times end in it, `+02:00`, of `UTC+2` or `GMT-05:30`; else nothing."""
    text = written.strip().replace("\u2212", "-")  # a minus that is no hyphen
    found = re.fullmatch(
        r"(?i)(?:(UTC|GMT)\s*)?(?:([+-])\s*(\d{1,2})(?::?(\d{2}))?)?", text
    ) or re.fullmatch("()([+-])(\\d{2})(\\d{2})", text)
    if not found or not text:
        return ""
    _, sign, hours, minutes = found.groups()
    if int(hours or 0) > _FURTHEST or int(minutes or 0) > 59:
        return ""
    return f"{sign or '+'}{int(hours or 0):02}:{minutes or '00'}"


def iana(written: str) -> str:
    """Return the IANA name of a zone, in its own capitals: of `europe/berlin`, `Europe/Berlin`; else nothing."""
    return _by_small_letters().get(written.strip().replace(" ", "_").lower(), "")


def nearest(written: str) -> tuple[str, ...]:
    """Return the zones that may be meant by a name that is none: of `Europe/Berlim` or `Berlin`, Europe/Berlin."""
    names, plain = _by_small_letters(), written.strip().replace(" ", "_").lower()
    if "/" not in plain:
        cities = {name.rpartition("/")[2]: zone for name, zone in sorted(names.items())}
        near = difflib.get_close_matches(plain, cities, 1, cutoff=0.8)
        return tuple(cities[each] for each in near)
    return tuple(names[each] for each in difflib.get_close_matches(plain, names, 1, cutoff=0.8))


def did_you_mean(written: str) -> str:
    """Return the end of a sentence, and the question whether another zone is meant; nothing if none is near."""
    return "".join(f". Did you mean {each}?" for each in nearest(written))


def areas() -> set[str]:
    """Return what IANA's names begin with, in small letters: `europe`, `america`."""
    return {name.partition("/")[0] for name in _by_small_letters() if "/" in name}


@cache
def _by_small_letters() -> dict[str, str]:
    return {name.lower(): name for name in time_zones() if "/" in name}


def _is_known(written: str) -> str:
    if written != OWN and not (found := offset(written) or iana(written)):
        raise ValueError(
            f"'{written}' is no zone; write one like Europe/Berlin or UTC+2, or {OWN} for the client's own"
            f"{did_you_mean(written)}"
        )
    return written if written == OWN else found


Zone = Annotated[str, AfterValidator(_is_known), "a zone such as Europe/Berlin or UTC+2, or client"]
