"""Say which version of its API an ad platform is asked in, and until when it answers each.

A platform that names only the month may end the version on any day of it: its first day stands
here. `make versions` fails when a default nears its end, or when nobody has looked for a while.
"""

from datetime import date, timedelta

LOOKED_UP = date(2026, 11, 27)
"""When these dates were last compared with the platforms' own pages."""

WARNED_BEFORE = timedelta(days=45)
"""How long before the end of its version a client is warned."""

NEWEST = {"google_ads": "v26", "facebook_ads": "v27.0"}
"""The version of each platform that is asked in where a client's file names none."""

# Google Ads: developers.google.com/google-ads/api/docs/sunset-dates
# Facebook: developers.facebook.com/docs/marketing-api/marketing-api-changelog/versions
ENDS: dict[str, dict[str, date]] = {
    "google_ads": {
        "v19": date(2026, 2, 11),
        "v20": date(2026, 6, 10),
        "v21": date(2026, 8, 5),
        "v22": date(2026, 10, 7),
        "v23": date(2027, 2, 1),
        "v24": date(2027, 5, 1),
        "v25": date(2027, 8, 1),
        "v26": date(2027, 11, 1),
    },
    "facebook_ads": {
        "v21.0": date(2025, 9, 9),
        "v22.0": date(2026, 2, 19),
        "v23.0": date(2026, 6, 9),
        "v24.0": date(2026, 11, 10),
        "v25.0": date(2027, 2, 23),
    },
}


def remedy(source: str, version: str = "") -> str:
    """Return what to do about a version of a platform's API that ends, or has ended."""
    return f"set sources.{source}.api.version: {version or NEWEST[source]}"


def warning(source: str, version: str, today: date) -> str:
    """Return that a version ends soon, or has ended; nothing while it lasts or no end is known."""
    end = ENDS.get(source, {}).get(version)
    if end is None or today < end - WARNED_BEFORE:
        return ""
    ends = f"ends on {end}" if today < end else f"ended on {end}"
    return f"version {version} of the API {ends}: {remedy(source)}"
