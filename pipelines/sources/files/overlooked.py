"""Ask about a column that an export may lack, and that it has under nearly our name.

`isDeleted`, `Event Id` and `GCLID` are not `is_deleted`, `event_id` and `gclid`: without a line under
`columns:` nobody would read them, and nothing would be missing. Only columns are asked about without
which rows count that should not, or are credited to another channel.
"""

import re
from collections.abc import Callable, Collection

from pipelines.contracts.contract import Contract
from pipelines.contracts.people import CLICK_IDS
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.yaml_texts import scalar

_DECIDING = {
    *("is_deleted", "consent", "event_id"),
    *CLICK_IDS,
}


def ask_for_overlooked(
    refused: Callable[..., ExportError],
    export: Export,
    contract: Contract,
    present: Collection[str],
    unread: Collection[str],
) -> None:
    """Raise ExportError if columns that nobody reads are called as ours are, but for capitals and marks."""
    free = {_letters(name): name for name in sorted(unread)}
    found = {
        name: free[_letters(name)]
        for name, column in contract.columns.items()
        if column.optional and name in _DECIDING and _letters(name) in free
        if name not in present and name not in export.columns
    }
    if found:
        said = "; ".join(f"{name} may be its {theirs}" for name, theirs in found.items())
        raise refused(
            f"{said}, which is not read, as names differ in capitals or marks. Name it, or write"
            " `null` for what it is not",
            remedies=[
                Remedy(f"{name}: {scalar(theirs)}", below="columns")
                for name, theirs in found.items()
            ],
        )


def _letters(name: str) -> str:
    """Return a name without capitals, and without marks and blanks between its words."""
    return "".join(re.findall(r"[^\W_]+", name.casefold())) or name
