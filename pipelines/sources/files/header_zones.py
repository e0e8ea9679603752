"""Find the zone of times that a column's name says: `Created date (UTC)`, `created_utc`, `At [GMT+1]`."""

import re

from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Export

_ZONE = re.compile(
    r"(?:[(\[]\s*|[ _-])(UTC|GMT)(?:\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?)?\s*[)\]]?\s*$",
    re.IGNORECASE,
)


def zones(export: Export, contract: Contract) -> dict[str, str]:
    """Return the offset of each column of times whose name in the export ends in a zone: +00:00."""
    if export.format:
        return {}
    return {
        name: found
        for name, column in contract.columns.items()
        if column.type == "timestamp"
        for found in [next(filter(None, map(_offset, export.names(name))), "")]
        if found
    }


def _offset(name: str) -> str:
    if not (found := _ZONE.search(name)):
        return ""
    _, sign, hours, minutes = found.groups()
    return f"{sign or '+'}{int(hours or 0):02}:{minutes or '00'}"
