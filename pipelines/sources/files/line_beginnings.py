"""Know lines by how they begin, for `skip:`, and propose how those begin that may be no data."""

import re
from collections.abc import Sequence

from pipelines.sources.batches import Remedy
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import literal

_BEFORE = ' \t"\ufeff'  # what may stand before the first letter of a line
_MOST = 5  # beginnings in one line to paste
_SHORTEST, _LONGEST = 3, 40


def begins(text: str, beginnings: Sequence[str]) -> bool:
    """Return whether a line begins in one of several ways, capitals and quotes aside."""
    return text.lstrip(_BEFORE).lower().startswith(tuple(map(_plain, beginnings)))


def begins_in_sql(text: str, beginnings: Sequence[str]) -> str:
    """Return SQL for the same."""
    plain = f"LTRIM(LOWER({text}), {literal(_BEFORE)})"
    return " OR ".join(f"STARTS_WITH({plain}, {literal(_plain(each))})" for each in beginnings)


def skipping(known: Sequence[str], lines: Sequence[str]) -> list[Remedy]:
    """Return the line that skips lines by how they begin; none where they have no word, or are too many."""
    words = [_beginning(line) for line in lines]
    found = list(dict.fromkeys(words))
    if not found or not all(found) or len(found) > _MOST:
        return []
    listed = ", ".join(map(scalar, dict.fromkeys([*known, *found])))
    return [Remedy(f"skip: [{listed}]", meaning="lines that begin so are no data")]


def _beginning(line: str) -> str:
    """Return how a line begins: the words before its first number, or its first mark."""
    words = re.split(r"[\d,;|\t\"]", line.lstrip(_BEFORE))[0].strip()[:_LONGEST].rstrip()
    return words if len(words) >= _SHORTEST else ""


def _plain(beginning: str) -> str:
    return beginning.lstrip(_BEFORE).lower()
