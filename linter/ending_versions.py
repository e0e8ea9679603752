"""Tell maintainers that a platform's API is asked in a version that ends soon: `make versions`.

It depends on the day, so it is no test: a release that was right yesterday stays testable.
"""

import sys
from datetime import date, datetime, timedelta, timezone

from pipelines.settings.api_versions import ENDS, LOOKED_UP, NEWEST

BEFORE = timedelta(days=120)
"""How long before its end a default is to be raised: users upgrade later than we release."""

EVERY = timedelta(days=90)
"""How often the platforms' own pages are to be looked at: they bring a version every quarter."""


def problems(today: date) -> list[str]:
    """Return what a maintainer has to do about the versions; nothing if they are good for a while."""
    found = [
        f"{source}: the default {version} ends on {end}; raise it in NEWEST"
        for source, version in NEWEST.items()
        if (end := ENDS[source].get(version)) and today >= end - BEFORE
    ]
    if today - LOOKED_UP >= EVERY:
        found.append(
            f"the dates were looked up on {LOOKED_UP}; compare them with the platforms' pages,"
            " correct ENDS and NEWEST, and set LOOKED_UP"
        )
    return [f"pipelines/settings/api_versions.py: {problem}" for problem in found]


if __name__ == "__main__":
    sys.exit("\n".join(problems(datetime.now(timezone.utc).date())) or 0)
