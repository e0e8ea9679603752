"""Find ids that are lists of several, as `501;502` of a deal's contacts: as one id, they are nobody's.

Which of them the deal is with, the client says: by the line to paste it is the first, as CRMs list the primary
contact first.
"""

from pipelines.contracts.contract import Contract
from pipelines.ingest.row_faults import Fault, quoted
from pipelines.settings.apis import Api
from pipelines.settings.column_expressions import is_expression
from pipelines.settings.exports import Export
from pipelines.sources.batches import Remedy
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import identifier, literal

_ID = "[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*"  # Lee, Kim is one
_MAIL = "[^@;, ]+@[^@;, ]+"
_FORMS = {  # a mark that such a list has, which is quickly looked for; what it is like; the first of it
    ";": ("[^;]+(;[^;]+)+;?", "TRIM(SPLIT_PART({name}, ';', 1))"),
    "[": (
        '\\[ *"?[^",\\]]+"? *(, *"?[^",\\]]+"? *)+\\]',
        "TRIM(REPLACE(REPLACE(SPLIT_PART({name}, ',', 1), '[', ''), '\"', ''))",
    ),
    ",": (f"{_ID}(, *{_ID})+|{_MAIL}(, *{_MAIL})+", "TRIM(SPLIT_PART({name}, ',', 1))"),
}


def faults(contract: Contract, feed: Export | Api) -> list[Fault]:
    """Return the faults of ids of customers and accounts that are lists."""
    if not isinstance(feed, Export) or not contract.converts:
        return []
    return [
        Fault(
            f"CONTAINS({column}, {literal(mark)}) AND REGEXP_FULL_MATCH({column}, {literal(like)})",
            f"CONCAT('{column} ''', {quoted(column)}, ''' lists several')",
            "as one id they are nobody's",
            remedy=_first(column, feed.names(column), first),
        )
        for column, each in contract.columns.items()
        if each.is_somebody and column not in contract.identifying
        for mark, (like, first) in _FORMS.items()
    ]


def _first(column: str, names: tuple[str, ...], first: str) -> Remedy | None:
    """Return the line by which the first of a list counts."""
    if len(names) != 1 or is_expression(names[0]):
        return None
    sql = first.format(name=identifier(names[0]))
    return Remedy(f"{column}: {scalar(sql)}", below="columns")
