"""Know how names of columns abbreviate zones, as `Time (PST)`, and which zones each may mean."""

import re

# By abbreviation, its distance from UTC, and where clocks are said to show it. Some have no distance
# of their own, as PT: winter and summer differ.
_MEANT = {
    "PST": "-08:00 America/Los_Angeles",
    "PDT": "-07:00 America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "MST": "-07:00 America/Denver America/Phoenix",
    "MDT": "-06:00 America/Denver",
    "MT": "America/Denver",
    "CST": "-06:00 America/Chicago Asia/Shanghai",
    "CDT": "-05:00 America/Chicago",
    "CT": "America/Chicago",
    "EST": "-05:00 America/New_York",
    "EDT": "-04:00 America/New_York",
    "ET": "America/New_York",
    "AST": "-04:00 America/Halifax Asia/Riyadh",
    "ADT": "-03:00 America/Halifax",
    "AKST": "-09:00 America/Anchorage",
    "AKDT": "-08:00 America/Anchorage",
    "HST": "-10:00 Pacific/Honolulu",
    "BRT": "-03:00 America/Sao_Paulo",
    "CLT": "-04:00 America/Santiago",
    "WET": "+00:00 Europe/Lisbon",
    "WEZ": "+00:00 Europe/Lisbon",
    "WEST": "+01:00 Europe/Lisbon",
    "BST": "+01:00 Europe/London Asia/Dhaka",
    "CET": "+01:00 Europe/Berlin",
    "MET": "+01:00 Europe/Berlin",
    "MEZ": "+01:00 Europe/Berlin",
    "CEST": "+02:00 Europe/Berlin",
    "MESZ": "+02:00 Europe/Berlin",
    "EET": "+02:00 Europe/Athens",
    "OEZ": "+02:00 Europe/Athens",
    "EEST": "+03:00 Europe/Athens",
    "OESZ": "+03:00 Europe/Athens",
    "MSK": "+03:00 Europe/Moscow",
    "TRT": "+03:00 Europe/Istanbul",
    "CAT": "+02:00 Africa/Maputo",
    "SAST": "+02:00 Africa/Johannesburg",
    "EAT": "+03:00 Africa/Nairobi",
    "WAT": "+01:00 Africa/Lagos",
    "GST": "+04:00 Asia/Dubai",
    "PKT": "+05:00 Asia/Karachi",
    "IST": "Asia/Kolkata Europe/Dublin Asia/Jerusalem",
    "ICT": "+07:00 Asia/Bangkok",
    "WIB": "+07:00 Asia/Jakarta",
    "SGT": "+08:00 Asia/Singapore",
    "HKT": "+08:00 Asia/Hong_Kong",
    "PHT": "+08:00 Asia/Manila",
    "JST": "+09:00 Asia/Tokyo",
    "KST": "+09:00 Asia/Seoul",
    "AWST": "+08:00 Australia/Perth",
    "ACST": "+09:30 Australia/Adelaide",
    "ACDT": "+10:30 Australia/Adelaide",
    "AEST": "+10:00 Australia/Sydney Australia/Brisbane",
    "AEDT": "+11:00 Australia/Sydney",
    "AET": "Australia/Sydney",
    "NZST": "+12:00 Pacific/Auckland",
    "NZDT": "+13:00 Pacific/Auckland",
}

_IN_WORDS = {
    "Pacific": "PT",
    "Mountain": "MT",
    "Central": "CT",
    "Eastern": "ET",
    "Central European": "CET",
    "Eastern European": "EET",
    "Western European": "WET",
}

# Words, too, or the ends of some: `actual_ist`, `campaign_cat`. They count in brackets and capitals alone.
_WORDS = {
    "PT",
    "MT",
    "CT",
    "ET",
    "AST",
    "EST",
    "IST",
    "ICT",
    "WEST",
    "CAT",
    "EAT",
    "WAT",
    "MST",
    "MET",
}

# These are no words anywhere, so they count wherever they stand, as in `ts_cet_local`.
_UNMISTAKABLE = {"CET", "CEST", "MEZ", "MESZ", "EEST", "OESZ", "JST", "SAST", "AKST", "AKDT"}
_UNMISTAKABLE |= {"AWST", "ACST", "ACDT", "AEST", "AEDT", "NZST", "NZDT"}

_BRACKETED = re.compile(r"[(\[]\s*([A-Za-z]{2,4})\s*[)\]]")
_LAST = re.compile(r"[ _-]([A-Za-z]{3,4})\s*$")
_OF_CLOCKS = re.compile(r"(?<![A-Za-z])([A-Za-z]{2,4})[ _-]+(?i:local|tz|zone)(?![A-Za-z])")
_OF_TIMES = re.compile(r"(?<![A-Za-z])([A-Z]{2,4})[ _-]+(?i:time)(?![A-Za-z])")
_WITHIN = re.compile(r"(?<![A-Za-z])([A-Za-z]{3,4})(?![A-Za-z])|(?<=[a-z])([A-Z]{3,4})(?![A-Za-z])")
_WORDS_OF_ZONES = "|".join(sorted(_IN_WORDS, key=len, reverse=True)).replace(" ", "[ _-]")
_SPELT = re.compile(
    rf"(?i)(?<![a-z])({_WORDS_OF_ZONES})([ _-](Standard|Daylight|Summer))?[ _-]Time(?![a-z])"
    rf"|[(\[]\s*({_WORDS_OF_ZONES})\s*[)\]]|(?<=[ _-])({_WORDS_OF_ZONES})\s*$"
)


def abbreviated(name: str) -> tuple[str, tuple[str, ...]]:
    """Return how a column's name calls its zone, and which zones that may be; nothing if it calls none."""
    if found := _SPELT.search(name):
        words = re.sub("[ _-]+", " ", found[1] or found[4] or found[5]).title()
        return found[0].strip(" ()[]"), candidates(_IN_WORDS[words])
    for form in (_BRACKETED, _LAST):
        for text in form.findall(name):
            is_sure = text.upper() not in _WORDS or (form is _BRACKETED and text.isupper())
            if text.upper() in _MEANT and is_sure:
                return text, candidates(text.upper())
    texts = [*_OF_CLOCKS.findall(name), *_OF_TIMES.findall(name)]
    texts += [
        one or other
        for one, other in _WITHIN.findall(name)
        if (one or other).upper() in _UNMISTAKABLE
    ]
    return next(
        ((each, candidates(each.upper())) for each in texts if each.upper() in _MEANT), ("", ())
    )


def candidates(abbreviation: str) -> tuple[str, ...]:
    """Return what may be meant, the city's clock first; nothing if it is no abbreviation of a zone."""
    meant = _MEANT.get(abbreviation, "").split()
    offsets = tuple(f"UTC{each}" for each in meant if each[0] in "+-")
    return (*(each for each in meant if each[0] not in "+-"), *offsets)
