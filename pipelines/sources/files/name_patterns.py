"""Read the time in a name by the pattern that a client's file says."""

import re
from contextlib import suppress
from datetime import datetime

from pipelines.sources.files.delivery_groups import short


class OrderError(Exception):
    """The order of deliveries cannot be told by what the client's file says; the text says why."""


def time_by_pattern(name: str, form: str) -> datetime:
    """Return the last time in a name that has the form. Raise OrderError if none has."""
    parts = re.split(r"(%[a-zA-Z])", form)
    pattern = "".join(_DIRECTIVES.get(part) or re.escape(part) for part in parts)
    found = re.findall(rf"(?<!\d){pattern}(?!\d)", name, re.IGNORECASE)
    for text in reversed(found):
        with suppress(ValueError):
            return datetime.strptime(text, form)
    raise OrderError(f"{short(name)} has no time like {form} in its name, as `ordered_by:` says")


_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%H": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%j": r"\d{3}",
    "%b": "[a-z]{3}",
    "%B": "[a-z]{3,9}",
}
